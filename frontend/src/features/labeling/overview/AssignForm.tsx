/** Sets items aside for people. */
import { Button, Group, MultiSelect, NumberInput, Stack, TextInput } from '@mantine/core'
import { DateTimePicker } from '@mantine/dates'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { notifyDone } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useRefresh, type LabelSchema } from '../data'

/** `items`: these and no others; else as many as are free, by number and name. */
export function AssignForm({ schema, items, onDone }: { schema: LabelSchema; items?: number[]; onDone: () => void }) {
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
          body: { name, people, number: number === '' ? null : Number(number), share: null, search, items, due_at: due ? new Date(due).toISOString() : null },
        }),
      )
      await refresh()
      notifyDone(items ? 'Assigned, as far as they are free.' : 'Assigned.')
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
        {!items && (
          <>
            <NumberInput label="How many items" placeholder="All that are free" min={1} allowDecimal={false} value={number} onChange={setNumber} />
            <TextInput label="Only items whose name contains" value={search} maxLength={200} onChange={(event) => setSearch(event.currentTarget.value)} />
          </>
        )}
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
