/** Who labels what: parts of the queue set aside for people. */
import { Badge, Button, Group, Modal, MultiSelect, NumberInput, Progress, Stack, Table, Text, TextInput } from '@mantine/core'
import { DateTimePicker } from '@mantine/dates'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ConfirmButton, notifyDone } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { assignmentsQuery, useRefresh, type LabelSchema } from '../data'

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
        <Assign schema={schema} onDone={close} />
      </Modal>
    </>
  )
}

function Assign({ schema, onDone }: { schema: LabelSchema; onDone: () => void }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const members = useQuery({ queryKey: keys.members(project), queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/members', { params: { path: { project } } })) })
  const [name, setName] = useState('')
  const [people, setPeople] = useState<string[]>([])
  const [number, setNumber] = useState<number | string>('')
  const [search, setSearch] = useState('')
  const [due, setDue] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const assign = async () => {
    setBusy(true)
    setError(null)
    try {
      await unwrap(
        api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/assignments', {
          params: { path: { project, label_schema: schema.slug } },
          body: { name, people, number: number === '' ? null : Number(number), share: null, search, due_at: due ? new Date(due).toISOString() : null },
        }),
      )
      await refresh()
      notifyDone('Assigned.')
      onDone()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void assign()
      }}
    >
      <Stack gap="sm">
        <TextInput data-autofocus label="Name" placeholder="First thousand" value={name} maxLength={120} onChange={(event) => setName(event.currentTarget.value)} />
        <MultiSelect
          label="People"
          searchable
          data={(members.data ?? []).filter((member) => member.role !== 'viewer').map((member) => ({ value: member.user.id, label: `${member.user.name || member.user.email} (${member.role})` }))}
          value={people}
          onChange={setPeople}
        />
        <NumberInput label="How many items" placeholder="All that are free" min={1} allowDecimal={false} value={number} onChange={setNumber} />
        <TextInput label="Only items whose name contains" value={search} maxLength={200} onChange={(event) => setSearch(event.currentTarget.value)} />
        <DateTimePicker label="Due" clearable value={due} onChange={setDue} />
        <ErrorNotice error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={!name.trim() || people.length === 0}>
            Assign
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
