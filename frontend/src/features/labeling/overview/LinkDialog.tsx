/** Keeping a label schema the same with a project of a Label Studio server, and choosing where both sides changed an answer. */
import { Alert, Badge, Button, Group, Modal, NumberInput, PasswordInput, Stack, Table, Text, TextInput } from '@mantine/core'
import { IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useProjectSlug } from '@/api/me'
import { ConfirmButton, notifyError } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { configOf, linkQuery, resultOf, useRefresh, wordingsQuery, type LabelSchema } from '../data'
import { inWords } from '../words'

type Link = Schemas['LinkOut']

export function LinkDialog({ schema, opened, onClose }: { schema: LabelSchema; opened: boolean; onClose: () => void }) {
  const project = useProjectSlug()
  const query = useQuery({ ...linkQuery(project, schema.slug), enabled: opened })
  return (
    <Modal opened={opened} onClose={onClose} title="Label Studio" size="lg">
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isSuccess && (query.data ? <Linked schema={schema} link={query.data} /> : <Connect schema={schema} />)}
    </Modal>
  )
}

function Connect({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const [url, setUrl] = useState('')
  const [token, setToken] = useState('')
  const [remote, setRemote] = useState<number | string>('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const connect = async () => {
    setBusy(true)
    setError(null)
    try {
      const body = { url, token, remote: remote === '' ? null : Number(remote) }
      await unwrap(api.PUT('/api/v1/projects/{project}/label-schemas/{label_schema}/link', { params: { path: { project, label_schema: schema.slug } }, body }))
      await refresh()
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
        void connect()
      }}
    >
      <Stack gap="sm">
        <Text size="sm">Tasks and answers will be the same here and there. What comes from there is said in your name.</Text>
        <TextInput data-autofocus label="Address of the server" placeholder="https://labels.example.org" value={url} onChange={(event) => setUrl(event.currentTarget.value)} />
        <PasswordInput label="Token" description="From your account there." value={token} onChange={(event) => setToken(event.currentTarget.value)} />
        <NumberInput label="Number of the project there" description="Empty: a project is made there." min={1} value={remote} onChange={setRemote} />
        <ErrorNotice error={error} />
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={!url || !token}>
            Link and synchronise
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Linked({ schema, link }: { schema: LabelSchema; link: Link }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const wordings = useQuery(wordingsQuery(project, schema.slug))
  const path = { project, label_schema: schema.slug }
  const newest = wordings.data?.[0]
  const working = link.status === 'queued' || link.status === 'running'
  const act = async (ask: () => Promise<unknown>) => {
    try {
      await ask()
      await refresh()
    } catch (failure) {
      notifyError(failure)
    }
  }
  const words = (result: { [key: string]: unknown }[] | null): string => {
    if (result === null || !newest) return 'nothing'
    return inWords(configOf(newest.config), resultOf(result)).map((one) => `${one.control}: ${one.words}`).join('; ') || 'an empty answer'
  }
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm">
          {link.url}
          {link.remote ? `, project ${link.remote}` : ''} · {link.tasks.toLocaleString()} tasks
        </Text>
        <Badge color={link.status === 'failed' ? 'red' : working ? 'gray' : 'green'}>{link.status === 'failed' ? 'failed' : working ? 'synchronising' : 'up to date'}</Badge>
      </Group>
      {link.message && (
        <Alert color={link.status === 'failed' ? 'red' : 'gray'} role="status">
          {link.message}
        </Alert>
      )}
      {link.conflicts.length > 0 && (
        <StackedTable minWidth={480}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Item</Table.Th>
              <Table.Th>Here</Table.Th>
              <Table.Th>There</Table.Th>
              <Table.Th aria-label="Choose" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {link.conflicts.map((one) => (
              <Table.Tr key={one.task}>
                <Table.Td>
                  {one.key}
                  <Text size="xs" c="dimmed">
                    {one.why}
                  </Text>
                </Table.Td>
                <Table.Td data-label="Here">{words(one.ours)}</Table.Td>
                <Table.Td data-label="There">{words(one.theirs)}</Table.Td>
                <Table.Td>
                  <Group gap={4} wrap="nowrap" justify="flex-end">
                    {(['ours', 'theirs'] as const).map((side) => (
                      <Button
                        key={side}
                        size="compact-xs"
                        variant={one.chosen === side ? 'filled' : 'default'}
                        aria-label={`${one.key}: keep what is ${side === 'ours' ? 'here' : 'there'}`}
                        onClick={() => void act(() => unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/link/conflicts/{item}', { params: { path: { ...path, item: one.task } }, body: { side } })))}
                      >
                        {side === 'ours' ? 'Keep here' : 'Keep there'}
                      </Button>
                    ))}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </StackedTable>
      )}
      <Group justify="flex-end">
        <ConfirmButton
          size="xs"
          title="Stop synchronising?"
          message="Both sides keep what they have."
          confirmLabel="Stop"
          onConfirm={async () => {
            await unwrap(api.DELETE('/api/v1/projects/{project}/label-schemas/{label_schema}/link', { params: { path } }))
            await refresh()
          }}
        >
          Unlink
        </ConfirmButton>
        <Button size="xs" leftSection={<IconRefresh size={15} aria-hidden />} loading={working} onClick={() => void act(() => unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/link/sync', { params: { path } })))}>
          Synchronise now
        </Button>
      </Group>
    </Stack>
  )
}
