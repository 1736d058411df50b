import { Alert, Button, Group, List, Text } from '@mantine/core'
import { IconAlertTriangle, IconPlugConnectedX, IconRefresh } from '@tabler/icons-react'
import { isApiError, UNREACHABLE, type Problem } from '@/api/client'

/** What went wrong and what to change. Takes an ApiError, any Error, or a plain message. Renders nothing without one. */
export function ErrorNotice({ error, title, onRetry }: { error: unknown; title?: string; onRetry?: () => void }) {
  if (!error) return null
  const known = isApiError(error) ? error : null
  const message = typeof error === 'string' ? error : error instanceof Error ? error.message : 'Something went wrong.'
  const unreachable = known?.code === UNREACHABLE
  return (
    <Alert
      role="alert"
      color={unreachable ? 'gray' : 'red'}
      icon={unreachable ? <IconPlugConnectedX aria-hidden /> : <IconAlertTriangle aria-hidden />}
      title={title ?? message}
      mb="md"
      styles={{ title: { overflowWrap: 'anywhere' } }}
    >
      {title && <Text size="sm">{message}</Text>}
      {known?.hint && <Text size="sm">{known.hint}</Text>}
      {known && known.problems.length > 0 && <ProblemList problems={known.problems} />}
      {onRetry && (
        <Group mt="xs">
          <Button size="xs" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={onRetry}>
            Try again
          </Button>
        </Group>
      )}
    </Alert>
  )
}

/** Problems by place (a field, or a file with its line or member), what was wrong and what would be right. */
export function ProblemList({ problems, limit = 50 }: { problems: Problem[]; limit?: number }) {
  return (
    <List size="sm" spacing={4} mt={4} listStyleType="disc" withPadding>
      {problems.slice(0, limit).map((problem, index) => (
        <List.Item key={index}>
          {problem.field && (
            <Text span fw={600} size="sm" style={{ overflowWrap: 'anywhere' }}>
              {problem.field}:{' '}
            </Text>
          )}
          {problem.message}
          {problem.expected && <Text span size="sm" c="dimmed">{` Expected: ${problem.expected}`}</Text>}
        </List.Item>
      ))}
      {problems.length > limit && <List.Item>and {problems.length - limit} more</List.Item>}
    </List>
  )
}
