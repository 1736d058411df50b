/** What happened, newest first, and what came of it; one event opens with its content and can be replayed. */
import { Anchor, Button, Drawer, Group, Paper, Select, Skeleton, Stack, Table, Text, Title } from '@mantine/core'
import { IconHistory, IconRepeat } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { api, unwrap } from '@/api/client'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { ago, dateTime, humanise } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { notifyError } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StatusBadge } from '@/ui/StatusBadge'
import { eventQuery, eventsQuery, STATUSES, type Trigger, type TriggerEvent } from './data'
import classes from './triggers.module.css'

export function History({ project, trigger, replayable }: { project: string; trigger: Trigger; replayable: boolean }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const given = useSearch({ strict: false }) as { status?: string; event?: string }
  const status = STATUSES.find((s) => s === given.status)
  const query = useInfiniteQuery({ ...eventsQuery(project, trigger.slug, status), placeholderData: keepPreviousData })
  const rows = query.data?.pages.flatMap((page) => page.items) ?? []
  const set = (change: { status?: string; event?: string }) => void navigate({ to: '.', search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false })
  // How the runs of the shown events go on.
  const shown = new Set(rows.map((row) => row.run))
  useLive('project', (event) => {
    if (event.type === 'run_changed' && shown.has(event.run)) void client.invalidateQueries({ queryKey: [...keys.triggers(project), 'events', trigger.slug] })
  })
  return (
    <section aria-label="History">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          History
        </Title>
        <Select
          aria-label="What came of it"
          placeholder="Whatever came of it"
          clearable
          data={STATUSES.map((s) => ({ value: s, label: humanise(s) }))}
          value={status ?? null}
          onChange={(value) => set({ status: value ?? undefined })}
          w={200}
        />
      </Group>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={120} />}
      {query.data && rows.length === 0 && (
        <EmptyState icon={IconHistory} title={status ? 'Nothing of this sort' : 'Nothing has happened yet'} compact>
          {status ? 'Choose another outcome.' : 'Each event shows here as it comes, with the run it started or the reason why it started none.'}
        </EmptyState>
      )}
      {rows.length > 0 && (
        <Paper style={{ overflow: 'hidden' }}>
          <Table fz="sm" className={classes.list} aria-label="Events">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>When</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th>What came of it</Table.Th>
                <Table.Th>Run</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((event) => (
                <Table.Tr key={event.id}>
                  <Table.Td>
                    <button type="button" className={classes.event} onClick={() => set({ event: event.id })} title={dateTime(event.received_at)}>
                      {ago(event.received_at)}
                    </button>
                  </Table.Td>
                  <Table.Td data-label="From" style={{ overflowWrap: 'anywhere' }}>
                    {event.source}
                  </Table.Td>
                  <Table.Td data-label="Outcome">
                    <StatusBadge status={event.status} />
                    {event.reason && (
                      <Text size="xs" c="dimmed" lineClamp={2} mt={2}>
                        {event.reason}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td data-label="Run">
                    <RunLink project={project} event={event} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Paper>
      )}
      {query.hasNextPage && (
        <Group justify="center" mt="sm">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Show more
          </Button>
        </Group>
      )}
      <Drawer opened={Boolean(given.event)} onClose={() => set({ event: undefined })} position="right" size="min(100vw, 34rem)" title={<Text fw={620}>Event</Text>}>
        {given.event && <EventDetail project={project} trigger={trigger} id={given.event} replayable={replayable} onOpen={(event) => set({ event })} />}
      </Drawer>
    </section>
  )
}

function RunLink({ project, event }: { project: string; event: TriggerEvent }) {
  if (!event.run) return <>–</>
  return (
    <Group gap={6} wrap="nowrap">
      <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project, run: event.run ?? '' }} {...props} />}>
        #{event.run_number}
      </Anchor>
      {event.run_status && <StatusBadge size="sm" status={event.run_status} />}
    </Group>
  )
}

function EventDetail({ project, trigger, id, replayable, onOpen }: { project: string; trigger: Trigger; id: string; replayable: boolean; onOpen: (event: string) => void }) {
  const client = useQueryClient()
  const query = useQuery(eventQuery(project, trigger.slug, id))
  const replay = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/projects/{project}/triggers/{trigger}/events/{event_id}/replay', { params: { path: { project, trigger: trigger.slug, event_id: id } } })),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: keys.triggers(project) })
      onOpen(made.id)
    },
    onError: notifyError,
  })
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  const event = query.data
  if (!event) return <Skeleton h={200} />
  return (
    <Stack gap="md">
      <Group gap="sm">
        <StatusBadge status={event.status} size="lg" />
        {event.run && <RunLink project={project} event={event} />}
      </Group>
      {event.reason && <Text size="sm">{event.reason}</Text>}
      <dl className={classes.facts}>
        <dt>Received</dt>
        <dd>{dateTime(event.received_at)}</dd>
        <dt>From</dt>
        <dd>{event.source}</dd>
        <dt>Known by</dt>
        <dd>{event.key}</dd>
        {event.depth > 0 && (
          <>
            <dt>Follows from</dt>
            <dd>{event.depth} triggered {event.depth === 1 ? 'run' : 'runs'}</dd>
          </>
        )}
        {event.replay_of && (
          <>
            <dt>Again of</dt>
            <dd>
              <Anchor component="button" size="sm" onClick={() => onOpen(event.replay_of ?? '')}>
                an earlier event
              </Anchor>
            </dd>
          </>
        )}
      </dl>
      <div>
        <Text size="sm" fw={600} mb={4}>
          Content
        </Text>
        <CodeSnippet code={JSON.stringify(event.payload, null, 2)} label="Copy the content" />
      </div>
      {replayable && (
        <Group>
          <Button variant="default" leftSection={<IconRepeat size={16} aria-hidden />} loading={replay.isPending} onClick={() => replay.mutate()}>
            Replay this event
          </Button>
        </Group>
      )}
    </Stack>
  )
}
