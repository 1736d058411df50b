/** The log of a run, followed live: by step, searched on the server, only the lines on screen drawn. */
import { Button, Group, Select, Switch, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconDownload, IconSearch } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState } from 'react'
import { count, time } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useLogs } from './data'
import { ended, type Line, type Run } from './live'
import classes from './runs.module.css'

const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g

export function LogView({ project, run, step, onStep }: { project: string; run: Run; step: string | null; onStep: (step: string | null) => void }) {
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text, 250)
  const [follow, setFollow] = useState(true)
  const { lines, loading, error } = useLogs(project, run, step, search)
  const box = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 20, overscan: 30 })
  useEffect(() => {
    if (follow && lines.length) virtual.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [follow, lines.length, virtual])
  const onScroll = () => {
    const el = box.current
    // Scrolling up stops following; coming back to the end begins again.
    if (el) setFollow(el.scrollHeight - el.scrollTop - el.clientHeight < 40)
  }
  return (
    <>
      <Group gap="sm" mb="xs" wrap="wrap">
        <Select
          aria-label="Step"
          placeholder="All steps"
          clearable
          searchable
          data={run.step_runs.map((s) => ({ value: s.step, label: s.name || s.title }))}
          value={step}
          onChange={onStep}
          w={200}
        />
        <TextInput aria-label="Search the log" placeholder="Search" leftSection={<IconSearch size={16} aria-hidden />} value={text} onChange={(event) => setText(event.currentTarget.value)} w={220} />
        <Switch label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
        <Text size="xs" c="dimmed" ml="auto" aria-live="polite">
          {loading ? 'Loading…' : `${count(lines.length)} lines`}
        </Text>
        <Button size="compact-sm" variant="default" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => save(run, lines)} disabled={lines.length === 0}>
          Save
        </Button>
      </Group>
      <ErrorNotice error={error} />
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrollable region must be reachable by keyboard */}
      <div ref={box} className={classes.logs} onScroll={onScroll} tabIndex={0} role="log" aria-label="Log lines" aria-live="off">
        {lines.length === 0 && !loading ? (
          <Text size="sm" c="dimmed" p="md">
            {search || step ? 'No line fits.' : ended(run.status) ? 'This run wrote nothing.' : 'Nothing yet: lines show here as the steps write them.'}
          </Text>
        ) : (
          <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
            {virtual.getVirtualItems().map((item) => (
              <LogRow key={item.key} line={lines[item.index] as Line} top={item.start} index={item.index} measure={virtual.measureElement} />
            ))}
          </div>
        )}
      </div>
    </>
  )
}

function LogRow({ line, top, index, measure }: { line: Line; top: number; index: number; measure: (el: Element | null) => void }) {
  return (
    <div ref={measure} data-index={index} className={classes.line} data-level={line.level} style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${top}px)` }}>
      <span className={classes.lineTime}>{time(line.at)}</span>
      <span className={classes.lineStep}>{line.step}</span>
      <span>{line.text.replace(ANSI, '') || ' '}</span>
    </div>
  )
}

function save(run: Run, lines: readonly Line[]) {
  const text = lines.map((line) => `${line.at} ${line.step}#${line.attempt} ${line.stream} ${line.text}`).join('\n')
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  link.download = `run-${run.number}.log`
  link.click()
  URL.revokeObjectURL(link.href)
}
