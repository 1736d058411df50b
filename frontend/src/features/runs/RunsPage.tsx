/** All runs of a project: filter, sort, choose some to compare. Ten thousand scroll like ten. */
import { Badge, Button, Group, Progress, Select, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconColumns3, IconPlayerPlay, IconRoute, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, duration, elapsed, score } from '@/lib/format'
import { byImportance, metricName } from '@/lib/metrics'
import { DataTable, sortParam, type Sort, type TableColumn } from '@/ui/data-table'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { runsQuery, useNow, useRunsLive, type RunFilters } from './data'
import { ended } from './live'
import { PriorityBadge } from './Priority'
import classes from './runs.module.css'

type Summary = Schemas['RunSummary']
const STATUSES = ['queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled'] as const
const MOST_COMPARED = 6

/** Three metrics as columns: the first of each sort of run (classes, numbers), then what people judge by. */
function headlines(rows: readonly Summary[]): string[] {
  const named = rows.map((run) => Object.keys(run.metrics).filter((name) => !name.includes('.')).sort(byImportance))
  const chosen = new Set<string>()
  for (const names of named) if (names[0] && chosen.size < 3 && !names.some((name) => chosen.has(name))) chosen.add(names[0])
  for (const name of [...new Set(named.flat())].sort(byImportance)) if (chosen.size < 3) chosen.add(name)
  return [...chosen].sort(byImportance)
}

export function RunsPage() {
  const project = useProjectSlug()
  const can = useCan()
  const navigate = useNavigate()
  const given = useSearch({ strict: false }) as { status?: string; pipeline?: string; search?: string; kind?: string }
  const [text, setText] = useState(given.search ?? '')
  const [search] = useDebouncedValue(text, 250)
  const [sort, setSort] = useState<Sort | null>({ key: 'created', descending: true })
  const [chosen, setChosen] = useState<Set<string>>(new Set())
  const filters: RunFilters = {
    status: STATUSES.find((s) => s === given.status),
    pipeline: given.pipeline || undefined,
    dry_run: given.kind === 'dry' ? true : given.kind === 'full' ? false : undefined,
    search: search || undefined,
    sort: sortParam(sort) ?? '-created',
  }
  const query = useInfiniteQuery({ ...runsQuery(project, filters), placeholderData: keepPreviousData })
  const pipelines = useQuery({
    queryKey: [...keys.pipelines(project), 'choices'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/pipelines', { params: { path: { project }, query: { limit: 200 } } })),
  })
  useRunsLive(project, true)
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data])
  const now = useNow(rows.some((run) => run.status === 'running'))
  const total = query.data?.pages[0]?.total ?? rows.length
  const filtered = Boolean(filters.status || filters.pipeline || filters.search || filters.dry_run !== undefined)
  const setFilter = (change: { status?: string; pipeline?: string; kind?: string }) =>
    void navigate({ to: '.', search: (before) => ({ ...before, ...change }), replace: true })

  const headline = useMemo(() => headlines(rows), [rows])
  const columns: TableColumn<Summary>[] = [
    {
      key: 'number',
      title: 'Run',
      width: 168,
      grow: 2,
      sortable: true,
      render: (run) => (
        <Stack gap={0} miw={0}>
          <Group gap={6} wrap="nowrap" miw={0}>
            <Text size="sm" fw={600} truncate renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project, run: run.id }} tabIndex={-1} {...props} />} className={classes.name}>
              #{run.number} {run.name || run.pipeline_name}
            </Text>
            {run.sample && (
              <Badge size="xs" color="grape" style={{ flex: 'none' }}>
                Dry run
              </Badge>
            )}
            {!ended(run.status) && <PriorityBadge priority={run.priority} />}
          </Group>
          <Text size="xs" c="dimmed" truncate>
            {run.pipeline_name} v{run.pipeline_version}
          </Text>
        </Stack>
      ),
    },
    { key: 'status', title: 'Status', width: 124, render: (run) => <StatusBadge status={run.status} hint={run.error?.message} /> },
    {
      key: 'steps',
      title: 'Steps',
      width: 104,
      hideBelow: 640,
      render: (run) =>
        ended(run.status) ? (
          <Text size="sm">{run.steps_total}</Text>
        ) : (
          <Progress value={run.progress * 100} w={90} aria-label={`${run.steps_done} of ${run.steps_total} steps`} />
        ),
    },
    ...headline.map((name): TableColumn<Summary> => ({
      key: `metric:${name}`,
      title: metricName(name),
      width: 100,
      align: 'right',
      sortable: true,
      hideBelow: 900,
      render: (run) => <Text size="sm">{run.metrics[name] === undefined ? '' : score(run.metrics[name])}</Text>,
    })),
    { key: 'by', title: 'Started by', width: 120, hideBelow: 1100, render: (run) => <Text size="sm" truncate>{run.started_by?.name || run.started_by?.email || '–'}</Text> },
    { key: 'created', title: 'When', width: 104, sortable: true, hideBelow: 520, render: (run) => <Text size="sm">{ago(run.created_at)}</Text> },
    { key: 'duration', title: 'Time', width: 90, align: 'right', sortable: true, hideBelow: 700, render: (run) => <Text size="sm">{duration(elapsed(run.started_at, run.finished_at, now))}</Text> },
  ]

  return (
    <>
      <PageHeader
        title="Runs"
        description="Every run of every pipeline, with its metrics. Choose two or more to compare them."
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconColumns3 size={16} aria-hidden />}
              disabled={chosen.size < 2 || chosen.size > MOST_COMPARED}
              onClick={() => void navigate({ to: '/p/$project/runs/compare', params: { project }, search: { ids: [...chosen].join(',') } })}
            >
              Compare{chosen.size > 0 ? ` (${chosen.size})` : ''}
            </Button>
            {can('run.start') && (
              <Button leftSection={<IconPlayerPlay size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/pipelines" params={{ project }} {...props} />}>
                Start from a pipeline
              </Button>
            )}
          </>
        }
      />
      <Group gap="sm" mb="md" wrap="wrap">
        <TextInput
          aria-label="Search runs"
          placeholder="Search by name or #number"
          leftSection={<IconSearch size={16} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          w={{ base: '100%', xs: 240 }}
        />
        <Select
          aria-label="Status"
          placeholder="Any status"
          clearable
          data={STATUSES.map((status) => ({ value: status, label: status.charAt(0).toUpperCase() + status.slice(1) }))}
          value={filters.status ?? null}
          onChange={(status) => setFilter({ status: status ?? undefined })}
          w={{ base: 'calc(50% - 6px)', xs: 150 }}
        />
        <Select
          aria-label="Pipeline"
          placeholder="Any pipeline"
          clearable
          searchable
          data={(pipelines.data?.items ?? []).map((p) => ({ value: p.slug, label: p.name }))}
          value={filters.pipeline ?? null}
          onChange={(pipeline) => setFilter({ pipeline: pipeline ?? undefined })}
          w={{ base: 'calc(50% - 6px)', xs: 220 }}
        />
        <Select
          aria-label="Kind of run"
          placeholder="Full and dry runs"
          clearable
          data={[
            { value: 'full', label: 'Full runs' },
            { value: 'dry', label: 'Dry runs' },
          ]}
          value={given.kind ?? null}
          onChange={(kind) => setFilter({ kind: kind ?? undefined })}
          w={{ base: 'calc(50% - 6px)', xs: 170 }}
        />
      </Group>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {!query.isPending && rows.length === 0 && !query.error ? (
        <EmptyState
          icon={IconRoute}
          title={filtered ? 'No run fits these filters' : 'No runs yet'}
          actions={
            filtered ? (
              <Button
                variant="default"
                onClick={() => {
                  setText('')
                  setFilter({ status: undefined, pipeline: undefined, kind: undefined })
                }}
              >
                Clear the filters
              </Button>
            ) : (
              can('run.start') && <Button renderRoot={(props) => <Link to="/p/$project/templates" params={{ project }} {...props} />}>Start from a template</Button>
            )
          }
        >
          {filtered ? 'Try fewer of them.' : 'Draw a pipeline or take a template, and press Run: it shows here, live.'}
        </EmptyState>
      ) : query.error && rows.length === 0 ? null : (
        <DataTable
          label="Runs"
          columns={columns}
          total={total ?? rows.length}
          rowAt={(index) => rows[index]}
          onWindow={(_first, last) => {
            if (last >= rows.length - 20 && query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage()
          }}
          rowKey={(run) => run.id}
          rowHeight={56}
          maxHeight="calc(100dvh - 260px)"
          sort={sort}
          onSort={setSort}
          selected={chosen}
          onSelect={setChosen}
          onOpen={(run) => void navigate({ to: '/p/$project/runs/$run', params: { project, run: run.id } })}
          loading={query.isPending}
        />
      )}
    </>
  )
}
