/** How the last synchronisations ended: of each kind, how much came here and went there. */
import { Badge, Table, Text, Title } from '@mantine/core'
import type { Schemas } from '@/api/client'
import { ago, dateTime } from '@/lib/format'
import { StackedTable } from '@/ui/StackedTable'
import classes from './sync.module.css'

type Run = Schemas['SyncRunOut']
const KINDS = [
  { name: 'Tasks', came: 'brought', went: 'sent' },
  { name: 'What they say', came: 'changed_here', went: 'changed_there' },
  { name: 'Answers', came: 'taken', went: 'told' },
  { name: 'Skips', came: 'skips_came', went: 'skips_went' },
  { name: 'Ground truth', came: 'truths_came', went: 'truths_went' },
  { name: 'Predictions', came: 'suggested', went: 'predicted' },
] as const

export function SyncRuns({ runs }: { runs: Run[] }) {
  return (
    <section aria-label="Last synchronisations">
      <Title order={2} size="h4" mb={4}>
        Last synchronisations
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        How much came here (↓) and went there (↑).
      </Text>
      <StackedTable minWidth={760}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            {KINDS.map((kind) => (
              <Table.Th key={kind.name}>{kind.name}</Table.Th>
            ))}
            <Table.Th>Deleted</Table.Th>
            <Table.Th>Left out</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {runs.map((run) => (
            <Table.Tr key={run.id}>
              <Table.Td title={dateTime(run.ended_at)}>
                {ago(run.ended_at)}{' '}
                {run.status !== 'ready' && (
                  <Badge size="sm" color={run.status === 'failed' ? 'red' : 'gray'}>
                    {run.status}
                  </Badge>
                )}
                {run.status === 'failed' && (
                  <Text size="xs" c="dimmed" maw={260} style={{ overflowWrap: 'anywhere' }}>
                    {run.message}
                  </Text>
                )}
              </Table.Td>
              {KINDS.map((kind) => (
                <Table.Td key={kind.name} data-label={kind.name} className={run.counts[kind.came] || run.counts[kind.went] ? undefined : classes.none}>
                  <Both came={run.counts[kind.came]} went={run.counts[kind.went]} what={kind.name} />
                </Table.Td>
              ))}
              <Table.Td data-label="Deleted" className={run.counts.deleted || run.counts.unpredicted ? undefined : classes.none}>{((run.counts.deleted ?? 0) + (run.counts.unpredicted ?? 0)).toLocaleString()}</Table.Td>
              <Table.Td data-label="Left out" className={run.counts.left_out ? undefined : classes.none}>{(run.counts.left_out ?? 0).toLocaleString()}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </StackedTable>
    </section>
  )
}

function Both({ came = 0, went = 0, what }: { came: number | undefined; went: number | undefined; what: string }) {
  if (!came && !went)
    return (
      <Text span size="sm" c="dimmed" aria-label={`${what}: none`}>
        –
      </Text>
    )
  return (
    <Text span size="sm" style={{ whiteSpace: 'nowrap' }} aria-label={`${what}: ${came} came, ${went} went`}>
      {came > 0 && `↓ ${came.toLocaleString()}`} {went > 0 && `↑ ${went.toLocaleString()}`}
    </Text>
  )
}
