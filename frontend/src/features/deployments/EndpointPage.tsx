/** One endpoint: ask it, how programs ask it, how it is doing, and what answered when. */
import { Anchor, Badge, Button, Group, Code, Modal, Paper, SegmentedControl, SimpleGrid, Skeleton, Stack, Table, Tabs, Text, Title } from '@mantine/core'
import { IconActivity, IconApi, IconArrowBackUp, IconRocket, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, count, dateTime, duration, number, percent, plural } from '@/lib/format'
import { Chart } from '@/ui/chart'
import { CodeTabs } from '@/ui/CodeSnippet'
import { ConfirmButton, notifyDone, notifyError, notifyUndo } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { Missing } from '@/ui/Missing'
import { PageHeader } from '@/ui/PageHeader'
import { StackedTable } from '@/ui/StackedTable'
import { StatusBadge } from '@/ui/StatusBadge'
import classes from './deployments.module.css'
import { endpointQuery, liveHistoryQuery, predictionsQuery, trafficQuery } from './data'
import { DeployForm } from './EndpointsPage'
import { snippets, type Manifest } from './form'
import { PredictPanel } from './PredictPanel'

export function EndpointPage() {
  const project = useProjectSlug()
  const { endpoint: slug = '' } = useParams({ strict: false })
  const query = useQuery(endpointQuery(project, slug))
  const can = useCan()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [replacing, setReplacing] = useState(false)
  const crumbs = [{ label: 'Endpoints', to: '/p/$project/endpoints' as const, params: { project } }]
  const path = { project, endpoint: slug }
  const refresh = () => client.invalidateQueries({ queryKey: keys.endpoints(project) })
  const rollback = useMutation({
    mutationFn: (deployment: string | null) => unwrap(api.POST('/api/v1/projects/{project}/endpoints/{endpoint}/rollback', { params: { path }, body: { deployment } })),
    onSuccess: (fresh) => {
      client.setQueryData(endpointQuery(project, slug).queryKey, fresh)
      notifyDone(`${fresh.current?.model} version ${fresh.current?.model_version} answers again.`)
    },
    onError: notifyError,
  })
  const remove = async () => {
    await unwrap(api.DELETE('/api/v1/projects/{project}/endpoints/{endpoint}', { params: { path } }))
    void navigate({ to: '/p/$project/endpoints', params: { project } })
    void refresh()
    notifyUndo(`${slug} answers no more.`, async () => {
      await unwrap(api.POST('/api/v1/projects/{project}/endpoints/{endpoint}/restore', { params: { path } }))
      await refresh()
    })
  }
  if (query.error && !query.data) {
    return (
      <Missing error={query.error} onRetry={() => void query.refetch()} what="endpoint" icon={IconApi} crumb={crumbs[0]!}>
        The address may be mistyped, or the endpoint belongs to another project.
      </Missing>
    )
  }
  if (!query.data) {
    return (
      <>
        <PageHeader title={slug} loading crumbs={crumbs} />
        <Skeleton h={360} />
      </>
    )
  }
  const endpoint = query.data
  const manifest = endpoint.manifest as Manifest
  const earlier = endpoint.deployments.find((d) => d.id !== endpoint.current?.id && d.status === 'stopped')
  return (
    <>
      <PageHeader
        title={endpoint.name}
        crumbs={crumbs}
        badges={<StatusBadge status={endpoint.status} size="lg" hint={endpoint.current?.message || undefined} />}
        description={
          endpoint.current && (
            <>
              <Anchor inherit underline="always" renderRoot={(props) => <Link to="/p/$project/models/$model" params={{ project, model: endpoint.current?.model ?? '' }} {...props} />}>
                {endpoint.current.model}
              </Anchor>{' '}
              version {endpoint.current.model_version}, {endpoint.current.live_at ? `live since ${dateTime(endpoint.current.live_at)}` : `deployed ${ago(endpoint.current.created_at)}`}
            </>
          )
        }
        actions={
          can('endpoint.deploy') && (
            <>
              {earlier && (
                <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} loading={rollback.isPending} onClick={() => rollback.mutate(null)}>
                  {endpoint.current && earlier.model_version > endpoint.current.model_version ? 'Return to' : 'Roll back to'} v{earlier.model_version}
                </Button>
              )}
              <Button leftSection={<IconRocket size={16} aria-hidden />} onClick={() => setReplacing(true)}>
                Replace…
              </Button>
              {can('endpoint.delete') && (
                <ConfirmButton
                  title={`Delete ${endpoint.name}?`}
                  message="Programs that ask it get an error from now on. Its history stays, and it can be restored."
                  confirmLabel="Delete the endpoint"
                  onConfirm={remove}
                  leftSection={<IconTrash size={16} aria-hidden />}
                >
                  Delete
                </ConfirmButton>
              )}
            </>
          )
        }
      />
      <Stack gap="lg">
        <Numbers endpoint={endpoint} />
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
          <Paper p="md" component="section" aria-label="Try it">
            <Title order={2} mb="sm">
              Try it
            </Title>
            <PredictPanel key={endpoint.current?.id} project={project} endpoint={slug} manifest={manifest} />
          </Paper>
          <Paper p="md" component="section" aria-label="From a program" miw={0}>
            <Title order={2} mb={4}>
              From a program
            </Title>
            <Text size="sm" c="dimmed" mb="sm">
              Make a token under{' '}
              <Anchor inherit underline="always" renderRoot={(props) => <Link to="/settings" {...props} />}>
                your settings
              </Anchor>{' '}
              and put it into <Code>HEADRACE_TOKEN</Code>.
            </Text>
            <CodeTabs snippets={snippets(endpoint.url, manifest)} />
            <Text size="xs" c="dimmed" mt="sm" style={{ overflowWrap: 'anywhere' }}>
              Open Inference Protocol v2: {endpoint.oip_url}
            </Text>
          </Paper>
        </SimpleGrid>
        <Tabs defaultValue="traffic">
          <Tabs.List mb="md">
            <Tabs.Tab value="traffic">Traffic</Tabs.Tab>
            <Tabs.Tab value="predictions">Recent predictions</Tabs.Tab>
            <Tabs.Tab value="history">History</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="traffic">
            <Traffic project={project} endpoint={slug} />
          </Tabs.Panel>
          <Tabs.Panel value="predictions">
            <Predictions project={project} endpoint={slug} />
          </Tabs.Panel>
          <Tabs.Panel value="history">
            <History project={project} endpoint={endpoint} onRollback={can('endpoint.deploy') ? (id) => rollback.mutate(id) : undefined} />
          </Tabs.Panel>
        </Tabs>
      </Stack>
      <Modal opened={replacing} onClose={() => setReplacing(false)} title={`Replace what answers at ${endpoint.name}`}>
        {replacing && <DeployForm project={project} endpoint={slug} onClose={() => setReplacing(false)} />}
      </Modal>
    </>
  )
}

function Numbers({ endpoint }: { endpoint: Schemas['EndpointDetail'] }) {
  const shown: [string, string][] = [
    ['Requests a minute', number(endpoint.requests_per_minute, 3)],
    ['Latency, median', endpoint.latency_ms_p50 === null ? '–' : `${number(endpoint.latency_ms_p50, 3)} ms`],
    ['Latency, 95 %', endpoint.latency_ms_p95 === null ? '–' : `${number(endpoint.latency_ms_p95, 3)} ms`],
    ['Errors', percent(endpoint.error_rate)],
    ['Answers so far', count(endpoint.predictions)],
  ]
  return (
    <div className={classes.numbers}>
      {shown.map(([label, value]) => (
        <div key={label}>
          <Text size="xs" c="dimmed">
            {label}
          </Text>
          <Text size="lg" fw={650}>
            {value}
          </Text>
        </div>
      ))}
    </div>
  )
}

function Traffic({ project, endpoint }: { project: string; endpoint: string }) {
  const [minutes, setMinutes] = useState('15')
  const query = useQuery(trafficQuery(project, endpoint, Number(minutes)))
  const points = query.data?.points ?? []
  // plotly draws dates in the reader's own time, texts as they stand.
  const x = points.map((p) => new Date(p.at))
  return (
    <Stack gap="md">
      <SegmentedControl
        aria-label="Time span"
        value={minutes}
        onChange={setMinutes}
        data={[
          { value: '15', label: '15 minutes' },
          { value: '60', label: '1 hour' },
          { value: '1440', label: '1 day' },
        ]}
        w="fit-content"
      />
      <ErrorNotice error={query.error} />
      {!query.data && !query.error && <Skeleton h={250} />}
      {query.data && points.every((p) => p.requests === 0) && (
        <EmptyState compact icon={IconActivity} title="No requests in this time">
          Ask it above or from a program: its requests, errors and latency are drawn here as they come.
        </EmptyState>
      )}
      {query.data && points.some((p) => p.requests > 0) && (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Chart
            title={`Requests in ${duration(query.data.bucket_s)}`}
            height={220}
            figure={{
              data: [
                { type: 'bar', name: 'Answered', x, y: points.map((p) => p.requests - p.errors) },
                { type: 'bar', name: 'Errors', marker: { color: '#dc2626' }, x, y: points.map((p) => p.errors) },
              ],
              layout: { barmode: 'stack', xaxis: { type: 'date', tickformat: '%H:%M', hoverformat: '%H:%M:%S' }, yaxis: { rangemode: 'tozero' } },
            }}
          />
          <Chart
            title="Latency"
            height={220}
            figure={{
              data: [
                { type: 'scatter', mode: 'lines+markers', marker: { size: 5 }, name: 'Median', x, y: points.map((p) => p.latency_ms_p50) },
                { type: 'scatter', mode: 'lines+markers', marker: { size: 5 }, name: '95 % are below', x, y: points.map((p) => p.latency_ms_p95) },
              ],
              layout: { xaxis: { type: 'date', tickformat: '%H:%M', hoverformat: '%H:%M:%S' }, yaxis: { rangemode: 'tozero', ticksuffix: ' ms' } },
            }}
          />
        </SimpleGrid>
      )}
    </Stack>
  )
}

function Predictions({ project, endpoint }: { project: string; endpoint: string }) {
  const query = useQuery(predictionsQuery(project, endpoint))
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Skeleton h={120} />
  if (query.data.items.length === 0) return <Text c="dimmed">No one has asked yet.</Text>
  return (
    <StackedTable minWidth={720} fz="sm" aria-label="Recent predictions">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>When</Table.Th>
            <Table.Th>Asked</Table.Th>
            <Table.Th>Answered</Table.Th>
            <Table.Th>By</Table.Th>
            <Table.Th ta="right">Latency</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {query.data.items.map((row) => (
            <Table.Tr key={row.id}>
              <Table.Td data-label="When" style={{ whiteSpace: 'nowrap' }}>{ago(row.at)}</Table.Td>
              <Table.Td maw={360} data-label="Asked">
                {picturesOf(row.input).length > 0 ? (
                  <Group gap={4}>
                    {picturesOf(row.input).map((index) => (
                      <img
                        key={index}
                        className={classes.asked}
                        src={`/api/v1/projects/${project}/endpoints/${endpoint}/predictions/${row.id}/images/${index}`}
                        alt={`Asked, number ${index + 1}`}
                        loading="lazy"
                      />
                    ))}
                  </Group>
                ) : (
                  <Text size="sm" lineClamp={2} style={{ overflowWrap: 'anywhere' }} title={JSON.stringify(row.input)}>
                    {askedText(row.input)}
                  </Text>
                )}
              </Table.Td>
              <Table.Td maw={300} data-label="Answered">
                {row.status === 200 ? (
                  <Text size="sm" lineClamp={2}>
                    {answerText(row.output)}
                  </Text>
                ) : (
                  <Badge color="red">refused ({row.status})</Badge>
                )}
              </Table.Td>
              <Table.Td data-label="By">{row.model_version}</Table.Td>
              <Table.Td ta="right" data-label="Latency">{number(row.latency_ms, 3)} ms</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
    </StackedTable>
  )
}

/** Places of the images that were kept of a request to an image model; the log holds their digests, not their bytes. */
function picturesOf(input: unknown): number[] {
  if (!Array.isArray(input)) return []
  const entries = input as ({ image?: unknown; size?: unknown } | null)[]
  return entries.flatMap((entry, index) => (typeof entry?.image === 'string' && typeof entry.size === 'number' && index < 4 ? [index] : []))
}

/** The first row that was asked as `age 37, sex Male, …`; how many more came with it. */
function askedText(input: unknown): string {
  const rows = Array.isArray(input) ? input : [input]
  const first: unknown = rows[0]
  const text =
    first !== null && typeof first === 'object'
      ? Object.entries(first)
          .map(([name, value]) => `${name} ${value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value ?? '–')}`)
          .join(', ')
      : JSON.stringify(first)
  return rows.length > 1 ? `${text} and ${rows.length - 1} more` : text
}

function answerText(output: unknown): string {
  if (!Array.isArray(output)) return JSON.stringify(output)
  return output
    .slice(0, 5)
    .map((item: { label?: string; value?: number; probabilities?: Record<string, number>; boxes?: { label: string }[] }) => {
      if (item.boxes) return item.boxes.length === 0 ? 'no box' : `${plural(item.boxes.length, 'box', 'boxes')}: ${item.boxes.map((box) => box.label).join(', ')}`
      if (item.label === undefined) return number(item.value, 5)
      const p = item.probabilities?.[item.label]
      return p === undefined ? item.label : `${item.label} (${percent(p)})`
    })
    .join(', ')
}

function History({ project, endpoint, onRollback }: { project: string; endpoint: Schemas['EndpointDetail']; onRollback?: (deployment: string) => void }) {
  // A deployment may have been live more than once: the table tells of the last time, the list below of every one.
  const past = useQuery(liveHistoryQuery(project, endpoint.slug))
  return (
    <Stack gap="lg">
      <StackedTable minWidth={640} fz="sm" aria-label="Deployments">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Model version</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>By</Table.Th>
            <Table.Th>Live from</Table.Th>
            <Table.Th>Until</Table.Th>
            <Table.Th>
              <span className="visually-hidden">Actions</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {endpoint.deployments.map((deployment) => (
            <Table.Tr key={deployment.id}>
              <Table.Td>
                <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/models/$model" params={{ project, model: deployment.model }} {...props} />}>
                  {deployment.model} v{deployment.model_version}
                </Anchor>
              </Table.Td>
              <Table.Td data-label="Status">
                <StatusBadge status={deployment.status} hint={deployment.message || undefined} />
              </Table.Td>
              <Table.Td data-label="By">{deployment.created_by?.name || deployment.created_by?.email || '–'}</Table.Td>
              <Table.Td data-label="Live from">{deployment.live_at ? dateTime(deployment.live_at) : 'never'}</Table.Td>
              <Table.Td data-label={deployment.stopped_at ? 'Until' : undefined}>{deployment.stopped_at ? dateTime(deployment.stopped_at) : null}</Table.Td>
              <Table.Td ta="right">
                {onRollback && deployment.status === 'stopped' && deployment.id !== endpoint.current?.id && (
                  <Button size="compact-xs" variant="default" onClick={() => onRollback(deployment.id)}>
                    {endpoint.current && deployment.model_version > endpoint.current.model_version ? 'Return to it' : 'Roll back to it'}
                  </Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </StackedTable>
      <ErrorNotice error={past.error} onRetry={() => void past.refetch()} />
      {past.data && past.data.items.length > 0 && (
        <section aria-label="What was live when">
          <Title order={3} mb={4}>
            What was live when
          </Title>
          <StackedTable minWidth={420} fz="sm" aria-label="What was live when">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>From</Table.Th>
                <Table.Th>Until</Table.Th>
                <Table.Th>Model version</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {past.data.items.map((period) => (
                <Table.Tr key={`${period.deployment} ${period.since}`}>
                  <Table.Td data-label="From">{dateTime(period.since)}</Table.Td>
                  <Table.Td data-label="Until">{period.until ? dateTime(period.until) : 'now'}</Table.Td>
                  <Table.Td data-label="Model version">
                    {period.model} v{period.model_version}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </StackedTable>
          {past.data.next && (
            <Text size="xs" c="dimmed" mt={4}>
              The newest {past.data.items.length}. Earlier ones are in the API: <Code>live-history</Code>.
            </Text>
          )}
        </section>
      )}
    </Stack>
  )
}
