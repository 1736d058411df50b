import { ActionIcon, Box, CopyButton, Tabs, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import classes from './CodeSnippet.module.css'

/** Text to be copied as it stands: a command, a program, a token. The block scrolls, it never wraps a line. */
export function CodeSnippet({ code, label = 'Copy', wrap = false }: { code: string; label?: string; wrap?: boolean }) {
  return (
    <Box className={classes.block}>
      {/* Focusable, so that the keyboard can scroll it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrollable region must be reachable (axe: scrollable-region-focusable) */}
      <pre className={classes.pre} data-wrap={wrap || undefined} tabIndex={0} role="region" aria-label={`${label}: code`}>
        <code>{code}</code>
      </pre>
      <CopyButton value={code} timeout={1600}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : label}>
            <ActionIcon className={classes.copy} size="md" variant="default" onClick={copy} aria-label={copied ? 'Copied' : label}>
              {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Box>
  )
}

/** The same thing in several languages. */
export function CodeTabs({ snippets }: { snippets: { language: string; code: string }[] }) {
  return (
    <Tabs defaultValue={snippets[0]?.language} variant="outline">
      <Tabs.List>
        {snippets.map((s) => (
          <Tabs.Tab key={s.language} value={s.language}>
            {s.language}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {snippets.map((s) => (
        <Tabs.Panel key={s.language} value={s.language} pt="xs">
          <CodeSnippet code={s.code} label={`Copy ${s.language}`} />
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}
