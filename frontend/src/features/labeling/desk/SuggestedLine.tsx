/** One line on what a model says of the item: always in its place, so that nothing moves under the hand when an answer comes. */
import { Anchor, Button, Group, Loader, Text } from '@mantine/core'
import { IconAlertCircle, IconSparkles } from '@tabler/icons-react'
import { isApiError } from '@/api/client'
import { percent } from '@/lib/format'
import type { Suggestion } from './asker'
import type { Suggested } from './suggested'
import classes from './desk.module.css'

const sure = (one: Suggestion) => (one.score !== null && one.score >= 0 && one.score <= 1 ? `, ${percent(one.score, 0)} sure` : '')

/** Without the words around it, which are on the line already. */
const reason = (error: unknown) => (isApiError(error) && typeof error.details.why === 'string' ? error.details.why : error instanceof Error ? error.message : 'something went wrong.')

export function SuggestedLine({ suggested }: { suggested: Suggested }) {
  const { by, asked, latest, news } = suggested
  if (by === null && !asked) return null
  const failed = asked?.state === 'failed' ? `No suggestion: ${reason(asked.error)}` : null
  const name = latest?.model_version || 'A model'
  const found = latest && (latest.result.length > 0 ? `Suggested by ${name}${sure(latest)}` : `${name} finds nothing here`)
  const words = news
    ? `${news.model_version} has a suggestion`
    : asked?.state === 'asking'
      ? `${by ?? 'A model'} is asked …`
      : (failed ?? found ?? 'No suggestion')
  return (
    <Group gap={6} wrap="nowrap" className={classes.suggested} data-news={news ? true : undefined} data-testid="suggested">
      {asked?.state === 'asking' ? <Loader size={12} aria-hidden /> : failed && !news ? <IconAlertCircle size={14} aria-hidden /> : <IconSparkles size={14} aria-hidden />}
      <Text size="xs" c={news ? undefined : 'dimmed'} lineClamp={2} flex={1} role="status" title={words}>
        {words}
      </Text>
      {news && (
        <Button size="compact-xs" variant="light" onClick={suggested.show}>
          Show it
        </Button>
      )}
      {failed && !news && (
        <Anchor component="button" type="button" size="xs" onClick={suggested.again}>
          Ask again
        </Anchor>
      )}
    </Group>
  )
}
