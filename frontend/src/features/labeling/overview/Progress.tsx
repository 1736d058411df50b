/** How far the queue is, who did how much, and the data set versions that its labels became. */
import { Anchor, Badge, Button, Group, Paper, Progress as Bar, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core'
import { IconSnowflake } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ago } from '@/lib/format'
import { notifyError } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { labelledQuery, peopleQuery, useRefresh, type LabelSchema } from '../data'

export function Progress({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const people = useQuery(peopleQuery(project, schema.slug))
  const labelled = useQuery(labelledQuery(project, schema.slug))
  const [busy, setBusy] = useState(false)
  const { progress } = schema
  const freeze = async () => {
    setBusy(true)
    try {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/labelled', { params: { path: { project, label_schema: schema.slug } }, body: { note: '' } }))
      await refresh()
    } catch (failure) {
      notifyError(failure)
    } finally {
      setBusy(false)
    }
  }
  const figures: [string, number, number | null][] = [
    ['Annotations', progress.done, progress.places],
    ['Complete items', progress.complete, progress.items],
    ['With ground truth', progress.truths, progress.items],
    ['Wait for review', progress.to_review, null],
  ]
  return (
    <Stack gap="lg">
      {schema.fill_status === 'failed' && <ErrorNotice error={new Error(schema.fill_message)} />}
      <SimpleGrid cols={{ base: 2, md: 4 }}>
        {figures.map(([name, value, of]) => (
          <Paper key={name} p="md" withBorder>
            <Text size="xs" c="dimmed">
              {name}
            </Text>
            <Text fz={24} fw={650} lh={1.3}>
              {value.toLocaleString()}
              {of !== null && (
                <Text span size="sm" c="dimmed" fw={400}>
                  {' '}
                  of {of.toLocaleString()}
                </Text>
              )}
            </Text>
            {of !== null && <Bar value={of ? (100 * value) / of : 0} size="sm" mt={6} aria-label={`${name}: ${of ? Math.round((100 * value) / of) : 0} percent`} />}
          </Paper>
        ))}
      </SimpleGrid>

      <div>
        <Group justify="space-between" mb="xs">
          <Title order={2} size="h4">
            Labels as data
          </Title>
          {can('label.manage') && (
            <Button size="xs" leftSection={<IconSnowflake size={15} aria-hidden />} disabled={progress.truths === 0} loading={busy} onClick={() => void freeze()}>
              Freeze the labels
            </Button>
          )}
        </Group>
        <ErrorNotice error={labelled.error} onRetry={() => void labelled.refetch()} />
        {labelled.data?.length === 0 && (
          <Text size="sm" c="dimmed">
            {progress.truths === 0 ? 'As soon as items have a ground truth, they can become a new version of the data set, to train on.' : 'Freezing makes a new version of the data set with the ground truth; pipelines read it as any other.'}
          </Text>
        )}
        {labelled.data && labelled.data.length > 0 && (
          <StackedTable minWidth={480}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Version</Table.Th>
                  <Table.Th>Labelled</Table.Th>
                  <Table.Th>Wording</Table.Th>
                  <Table.Th>By</Table.Th>
                  <Table.Th>When</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {labelled.data.map((one) => (
                  <Table.Tr key={one.id}>
                    <Table.Td>
                      {one.version !== null ? (
                        <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/datasets/$dataset" params={{ project, dataset: one.dataset }} search={{ version: one.version ?? undefined }} {...props} />}>
                          {one.dataset}@{one.version}
                        </Anchor>
                      ) : (
                        <Badge color={one.status === 'failed' ? 'red' : 'gray'} title={one.message}>
                          {one.status}
                        </Badge>
                      )}
                    </Table.Td>
                    <Table.Td data-label="Labelled">{one.status === 'failed' ? one.message : one.items.toLocaleString()}</Table.Td>
                    <Table.Td data-label="Wording">{one.schema_version}</Table.Td>
                    <Table.Td data-label="By">{one.created_by?.name || one.created_by?.email}</Table.Td>
                    <Table.Td data-label="When">{ago(one.created_at)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </StackedTable>
        )}
      </div>

      <div>
        <Title order={2} size="h4" mb="xs">
          People
        </Title>
        <ErrorNotice error={people.error} onRetry={() => void people.refetch()} />
        {people.data?.length === 0 && (
          <Text size="sm" c="dimmed">
            Nobody has labelled anything yet.
          </Text>
        )}
        {people.data && people.data.length > 0 && (
          <StackedTable minWidth={520}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Who</Table.Th>
                  <Table.Th ta="right">Annotations</Table.Th>
                  <Table.Th ta="right">Accepted</Table.Th>
                  <Table.Th ta="right">Sent back</Table.Th>
                  <Table.Th ta="right">Skipped</Table.Th>
                  <Table.Th ta="right">Median time</Table.Th>
                  <Table.Th>Last</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {people.data.map((one) => (
                  <Table.Tr key={one.user.id}>
                    <Table.Td>{one.user.name || one.user.email}</Table.Td>
                    <Table.Td data-label="Annotations" ta="right">{one.annotations.toLocaleString()}</Table.Td>
                    <Table.Td data-label="Accepted" ta="right">{one.accepted.toLocaleString()}</Table.Td>
                    <Table.Td data-label="Sent back" ta="right">{one.rejected.toLocaleString()}</Table.Td>
                    <Table.Td data-label="Skipped" ta="right">{one.skipped.toLocaleString()}</Table.Td>
                    <Table.Td data-label="Median time" ta="right">{one.seconds.toFixed(1)} s</Table.Td>
                    <Table.Td data-label="Last">{ago(one.newest)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </StackedTable>
        )}
      </div>
    </Stack>
  )
}
