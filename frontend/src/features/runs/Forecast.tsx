/** What a run's pipeline would take on all of its data: step by step, with the range and what it rests on. */
import { Alert, Anchor, Skeleton, Stack, Table, Text } from '@mantine/core'
import { IconTestPipe } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { basis, memoryWords, timeWords, totalWords } from '@/lib/forecast'
import { count, plural } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { forecastQuery } from './data'
import { ended, type Run } from './live'

export function Forecast({ project, run }: { project: string; run: Run }) {
  const query = useQuery(forecastQuery(project, run))
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Skeleton h={200} />
  const total = totalWords(query.data)
  return (
    <Stack gap="sm">
      <Text size="sm">
        {total || 'No past run tells what the steps take.'} On all of the data, one step after the other{ended(run.status) ? '' : '; what this run tells is added as it goes on'}.
      </Text>
      <StackedTable minWidth={560} aria-label="Forecast of each step">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Step</Table.Th>
            <Table.Th>Rows</Table.Th>
            <Table.Th>Time</Table.Th>
            <Table.Th>Memory</Table.Th>
            <Table.Th>Rests on</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {query.data.steps.map((step) => (
            <Table.Tr key={step.step}>
              <Table.Td fw={600}>{step.name}</Table.Td>
              <Table.Td data-label="Rows">{step.rows === null ? '–' : count(step.rows)}</Table.Td>
              <Table.Td data-label="Time">{timeWords(step.time) || '–'}</Table.Td>
              <Table.Td data-label="Memory">{memoryWords(step.memory) || '–'}</Table.Td>
              <Table.Td data-label="Rests on">
                <Text size="xs" c="dimmed">
                  {basis(step)}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </StackedTable>
    </Stack>
  )
}

const HOW = { stratified: 'each label with its share', random: 'chosen at random', head: 'the first ones' } as const

/** Says what a dry run is, on its page. */
export function DryRunNotice({ run, onForecast }: { run: Run; onForecast: () => void }) {
  if (!run.sample) return null
  const left = run.step_runs.filter((step) => step.skip_reason === 'dry run').map((step) => `“${step.name || step.title}”`)
  return (
    <Alert mb="md" color="grape" icon={<IconTestPipe aria-hidden />} title={`A dry run, on ${plural(run.sample.rows, 'row')} (${HOW[run.sample.how]})`}>
      <Text size="sm">
        {left.length > 0 ? `Left out, because ${left.length === 1 ? 'it changes' : 'they change'} something or ${left.length === 1 ? 'needs' : 'need'} what does: ${left.join(', ')}. ` : ''}
        Its models cannot be registered, and full runs take nothing of a part of the data from it.{' '}
        <Anchor component="button" size="sm" onClick={onForecast}>
          What a full run would take
        </Anchor>
      </Text>
    </Alert>
  )
}
