/** Who labels what: parts of the queue set aside for people. */
import { Badge, Button, Group, Modal, Progress, Table, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ConfirmButton } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { assignmentsQuery, useRefresh, type LabelSchema } from '../data'
import { AssignForm } from './AssignForm'

export function Assignments({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const query = useQuery(assignmentsQuery(project, schema.slug))
  const [opened, { open, close }] = useDisclosure(false)
  const end = async (assignment: string) => {
    await unwrap(api.DELETE('/api/v1/projects/{project}/label-schemas/{label_schema}/assignments/{assignment}', { params: { path: { project, label_schema: schema.slug, assignment } } }))
    await refresh()
  }
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed" maw={560}>
          Items without an assignment are for everybody who may annotate. An assignment sets some aside for the people it names.
        </Text>
        {can('label.manage') && (
          <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={open}>
            Assign items
          </Button>
        )}
      </Group>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.data && query.data.length > 0 && (
        <StackedTable minWidth={520}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Assignment</Table.Th>
                <Table.Th>People</Table.Th>
                <Table.Th>Due</Table.Th>
                <Table.Th>Complete</Table.Th>
                <Table.Th aria-label="Actions" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {query.data.map((one) => (
                <Table.Tr key={one.id}>
                  <Table.Td>{one.name}</Table.Td>
                  <Table.Td data-label="People">
                    <Group gap={4}>
                      {one.people.map((person) => (
                        <Badge key={person.id} color="gray">
                          {person.name || person.email}
                        </Badge>
                      ))}
                    </Group>
                  </Table.Td>
                  <Table.Td data-label="Due">{one.due_at ? new Date(one.due_at).toLocaleString() : '–'}</Table.Td>
                  <Table.Td data-label="Complete">
                    <Text size="sm">
                      {one.complete.toLocaleString()} of {one.items.toLocaleString()}
                    </Text>
                    <Progress size="sm" value={one.items ? (100 * one.complete) / one.items : 0} aria-label={`${one.name}: complete`} />
                  </Table.Td>
                  <Table.Td ta="right">
                    {can('label.manage') && (
                      <ConfirmButton size="compact-xs" title={`End “${one.name}”?`} message="What is left of it goes back to everybody; what was labelled stays." confirmLabel="End it" onConfirm={() => end(one.id)}>
                        End
                      </ConfirmButton>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </StackedTable>
      )}
      <Modal opened={opened} onClose={close} title="Assign items">
        <AssignForm schema={schema} onDone={close} />
      </Modal>
    </>
  )
}
