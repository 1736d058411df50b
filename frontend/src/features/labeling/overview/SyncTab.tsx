/** Keeping a label schema the same with a project of a Label Studio server: how the last time went, when the next is, where a person chooses. */
import { Alert, Badge, Button, Checkbox, Group, Modal, NumberInput, Paper, PasswordInput, Progress, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { IconArrowsExchange, IconPlayerStop, IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useProjectSlug } from '@/api/me'
import { ago, dateTime, plural } from '@/lib/format'
import { ConfirmButton, notifyError } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { linkQuery, useRefresh, type LabelSchema } from '../data'
import { Conflicts } from './Conflicts'
import { Deletions } from './Deletions'
import { SyncRuns } from './SyncRuns'

export type Link = Schemas['LinkOut']
const LINK = '/api/v1/projects/{project}/label-schemas/{label_schema}/link'
const EVERY = [
  { value: '', label: 'Only when I ask' },
  { value: '5', label: 'Every 5 minutes' },
  { value: '15', label: 'Every 15 minutes' },
  { value: '60', label: 'Every hour' },
  { value: '1440', label: 'Every day' },
]

export function SyncTab({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const query = useQuery({ ...linkQuery(project, schema.slug), refetchInterval: (now) => (working(now.state.data) ? 1000 : false) })
  const [opened, setOpened] = useState(false)
  const link = query.data
  return (
    <>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={160} />}
      {query.isSuccess && !link && (
        <EmptyState
          icon={IconArrowsExchange}
          title="Not linked with Label Studio"
          actions={<Button onClick={() => setOpened(true)}>Link with Label Studio</Button>}
        >
          Link this label schema with a project of a Label Studio server: tasks, files, answers, skips and predictions will be the same here and there.
        </EmptyState>
      )}
      {link && <Linked schema={schema} link={link} onChange={() => setOpened(true)} />}
      <Modal opened={opened} onClose={() => setOpened(false)} title={link ? 'Change the link' : 'Link with Label Studio'}>
        <Connect schema={schema} link={link ?? null} onDone={() => setOpened(false)} />
      </Modal>
    </>
  )
}

const working = (link: Link | null | undefined) => link?.status === 'queued' || link?.status === 'running'

function Connect({ schema, link, onDone }: { schema: LabelSchema; link: Link | null; onDone: () => void }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const [url, setUrl] = useState(link?.url ?? '')
  const [token, setToken] = useState('')
  const [remote, setRemote] = useState<number | string>(link?.remote ?? '')
  const [tellTruth, setTellTruth] = useState(link?.tell_truth ?? false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const elsewhere = link !== null && (url.replace(/\/+$/, '') !== link.url || (remote !== '' && Number(remote) !== link.remote))
  const connect = async () => {
    setBusy(true)
    setError(null)
    try {
      const body = { url, token, remote: remote === '' ? null : Number(remote), every_minutes: link?.every_minutes ?? null, tell_truth: tellTruth }
      await unwrap(api.PUT(LINK, { params: { path: { project, label_schema: schema.slug } }, body }))
      await refresh()
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
        void connect()
      }}
    >
      <Stack gap="sm">
        <Text size="sm">What comes from there is said by the person here with the same e-mail address; who is not in this project is kept as a name.</Text>
        <TextInput data-autofocus label="Address of the server" placeholder="https://labels.example.org" value={url} onChange={(event) => setUrl(event.currentTarget.value)} />
        <PasswordInput label="Token" description={link ? 'Empty: the one that is known stays.' : 'From your account there.'} value={token} onChange={(event) => setToken(event.currentTarget.value)} />
        <NumberInput label="Number of the project there" description="It is in the address of its page. Empty: a project is made there." min={1} value={remote} onChange={setRemote} />
        <Checkbox
          label="Mark ground truth there even while there are honeypots"
          description="People there could tell of which tasks the answer is known. Without honeypots it is marked anyway."
          checked={tellTruth}
          onChange={(event) => setTellTruth(event.currentTarget.checked)}
        />
        {elsewhere && <Alert color="yellow">This is another project: nothing is known of it yet, and open conflicts are dropped.</Alert>}
        <ErrorNotice error={error} />
        <Group justify="flex-end">
          <Button type="submit" loading={busy} disabled={!url || (!token && (!link || elsewhere))}>
            {link ? 'Save and synchronise' : 'Link and synchronise'}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Linked({ schema, link, onChange }: { schema: LabelSchema; link: Link; onChange: () => void }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const params = { path: { project, label_schema: schema.slug } }
  const busy = working(link)
  const act = async (ask: () => Promise<unknown>) => {
    try {
      await ask()
      await refresh()
    } catch (failure) {
      notifyError(failure)
    }
  }
  return (
    <Stack gap="lg">
      <Paper withBorder p="md">
        <Stack gap="sm">
          <Group justify="space-between" align="flex-start">
            <div>
              <Group gap="xs">
                <Title order={2} size="h4">
                  Label Studio
                </Title>
                <State link={link} />
              </Group>
              <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                {link.url}
                {link.remote ? `, project ${link.remote}` : ''} · {plural(link.tasks, 'task')} on both sides
                {link.synced_at && ` · last synchronised ${ago(link.synced_at)}`}
              </Text>
            </div>
            <Group gap="xs">
              {busy ? (
                <Button size="xs" variant="default" leftSection={<IconPlayerStop size={15} aria-hidden />} onClick={() => void act(() => unwrap(api.POST(`${LINK}/cancel`, { params })))}>
                  Cancel
                </Button>
              ) : (
                <Button size="xs" leftSection={<IconRefresh size={15} aria-hidden />} onClick={() => void act(() => unwrap(api.POST(`${LINK}/sync`, { params })))}>
                  Synchronise now
                </Button>
              )}
            </Group>
          </Group>
          {busy && <Going link={link} />}
          {!busy && link.message && (
            <Alert color={link.status === 'failed' ? 'red' : 'gray'} role="status">
              {link.message}
            </Alert>
          )}
          {!busy && link.truth_hidden && (
            <Text size="sm" c="dimmed">
              Ground truth is not marked there: this label schema has honeypots, which people could then tell from other tasks.
            </Text>
          )}
          {!busy && link.problems.length > 0 && <LeftOut problems={link.problems} />}
          <Group justify="space-between" align="flex-end">
            <Select
              label="Synchronise"
              size="xs"
              w={190}
              allowDeselect={false}
              data={EVERY.some((one) => one.value === String(link.every_minutes ?? '')) ? EVERY : [...EVERY, { value: String(link.every_minutes), label: `Every ${link.every_minutes} minutes` }]}
              value={String(link.every_minutes ?? '')}
              description={link.next_at && !busy ? `Next: ${dateTime(link.next_at)}` : undefined}
              inputWrapperOrder={['label', 'input', 'description']}
              onChange={(value) => void act(() => unwrap(api.PUT(`${LINK}/schedule`, { params, body: { every_minutes: value ? Number(value) : null } })))}
            />
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={onChange}>
                Change
              </Button>
              <ConfirmButton
                size="xs"
                title="Stop synchronising?"
                message="Both sides keep what they have."
                confirmLabel="Stop"
                onConfirm={async () => {
                  await unwrap(api.DELETE(LINK, { params }))
                  await refresh()
                }}
              >
                Unlink
              </ConfirmButton>
            </Group>
          </Group>
        </Stack>
      </Paper>
      {link.conflicts.length > 0 && <Conflicts schema={schema} link={link} act={act} />}
      {link.runs.length > 0 && <SyncRuns runs={link.runs} />}
      {link.deletions.length > 0 && <Deletions schema={schema} link={link} act={act} />}
      <Text size="sm" c="dimmed">
        Comments, reviews and drafts stay where they are: the open edition of Label Studio has no place for them that another program could write to.
      </Text>
    </Stack>
  )
}

function State({ link }: { link: Link }) {
  if (working(link)) return <Badge color="blue">synchronising</Badge>
  if (link.status === 'failed') return <Badge color="red">failed</Badge>
  if (link.status === 'cancelled') return <Badge color="gray">cancelled</Badge>
  if (link.conflict_count > 0) return <Badge color="yellow">{plural(link.conflict_count, 'conflict')}</Badge>
  return <Badge color="green">up to date</Badge>
}

function Going({ link }: { link: Link }) {
  const words = link.status === 'queued' ? 'Waiting for a worker …' : link.phase ? `${link.phase[0]?.toUpperCase()}${link.phase.slice(1)}${link.total ? `: ${link.done.toLocaleString()} of ${link.total.toLocaleString()}` : ' …'}` : 'Beginning …'
  return (
    <div role="status">
      <Text size="sm" mb={4}>
        {words}
      </Text>
      <Progress value={link.total ? (100 * link.done) / link.total : 100} animated={!link.total} size="sm" aria-label="How far it is" />
    </div>
  )
}

function LeftOut({ problems }: { problems: Link['problems'] }) {
  const [all, setAll] = useState(false)
  const shown = all ? problems : problems.slice(0, 3)
  return (
    <Alert color="yellow" title={`${plural(problems.length, 'thing', 'things')} to look at`}>
      <Stack gap={4}>
        {shown.map((one, n) => (
          <Text size="sm" key={n} style={{ overflowWrap: 'anywhere' }}>
            <b>{one.where}</b>: {one.message}
          </Text>
        ))}
        {problems.length > shown.length && (
          <Button size="compact-xs" variant="subtle" onClick={() => setAll(true)} style={{ alignSelf: 'flex-start' }}>
            Show all {problems.length}
          </Button>
        )}
      </Stack>
    </Alert>
  )
}
