/** What a synchronisation deleted because the other side did; each can be taken back. */
import { Button, Table, Text, Title } from '@mantine/core'
import { api, unwrap } from '@/api/client'
import { useProjectSlug } from '@/api/me'
import { ago } from '@/lib/format'
import { StackedTable } from '@/ui/StackedTable'
import type { LabelSchema } from '../data'
import { Said } from './Conflicts'
import type { Link } from './SyncTab'

export function Deletions({ schema, link, act }: { schema: LabelSchema; link: Link; act: (ask: () => Promise<unknown>) => Promise<void> }) {
  const project = useProjectSlug()
  const undo = (deletion: number) => unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/link/deletions/{deletion}/undo', { params: { path: { project, label_schema: schema.slug, deletion } } }))
  return (
    <section aria-label="Deletions">
      <Title order={2} size="h4" mb={4}>
        Deletions
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        One side deleted these, and the other had not changed them since, so it followed.
      </Text>
      <StackedTable minWidth={520}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>What</Table.Th>
            <Table.Th>Deleted</Table.Th>
            <Table.Th>It said</Table.Th>
            <Table.Th aria-label="Undo" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {link.deletions.map((one) => (
            <Table.Tr key={one.id}>
              <Table.Td>
                {one.what === 'task' ? 'Task' : 'Answer to'} {schema.modality === 'table' ? one.task : one.key}
              </Table.Td>
              <Table.Td data-label="Deleted">
                {one.side === 'ours' ? 'here' : 'there'}, {ago(one.at)}
              </Table.Td>
              <Table.Td data-label="It said">{one.result ? <Said schema={schema} said={{ result: one.result, by: one.by }} /> : '–'}</Table.Td>
              <Table.Td ta="right">
                {one.undone_at ? (
                  <Text size="sm" c="dimmed">
                    taken back
                  </Text>
                ) : (
                  <Button size="compact-xs" variant="default" aria-label={`Undo the deletion of ${one.key}`} onClick={() => void act(() => undo(one.id))}>
                    Undo
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </StackedTable>
    </section>
  )
}
