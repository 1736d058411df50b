/** Two or more runs side by side: what differed, and what came of it. */
import { Anchor, Skeleton, Stack, Switch, Table, Text, Title } from '@mantine/core'
import { IconColumns3 } from '@tabler/icons-react'
import { useQueries, useQuery } from '@tanstack/react-query'
import { Link, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { duration, elapsed, humanise, number, score } from '@/lib/format'
import { byImportance, metricName, smallerIsBetter } from '@/lib/metrics'
import { Chart } from '@/ui/chart'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { groupMetrics } from './live'
import classes from './runs.module.css'

type Row = { step?: string; parameter?: string; name?: string; values: unknown[]; differs: boolean }

/** The run's own metrics first; those that only one of its steps has (`evaluate_forest.accuracy`) on request, step by step. */
function metricRows(rows: Row[], every: boolean): Row[] {
  const parts = (row: Row) => {
    const name = row.name ?? ''
    const dot = name.lastIndexOf('.')
    return { step: name.slice(0, Math.max(0, dot)), metric: name.slice(dot + 1) }
  }
  return rows
    .filter((row) => every || !parts(row).step)
    .sort((a, b) => parts(a).step.localeCompare(parts(b).step) || byImportance(parts(a).metric, parts(b).metric))
}

function metricLabel(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? metricName(name) : `${humanise(name.slice(0, dot))} · ${metricName(name.slice(dot + 1))}`
}

export function CompareRunsPage() {
  const project = useProjectSlug()
  const { ids = '' } = useSearch({ strict: false }) as { ids?: string }
  const query = useQuery({
    queryKey: [...keys.runs(project), 'compare', ids],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs/compare', { params: { path: { project }, query: { ids } } })),
    enabled: ids.includes(','),
  })
  const [all, setAll] = useState(false)
  const [every, setEvery] = useState(false)
  const crumbs = [{ label: 'Runs', to: '/p/$project/runs' as const, params: { project } }]
  if (!ids.includes(',')) {
    return (
      <>
        <PageHeader title="Compare runs" crumbs={crumbs} />
        <EmptyState icon={IconColumns3} title="Choose runs to compare">
          Tick two or more in the list of runs and press Compare.
        </EmptyState>
      </>
    )
  }
  return (
    <>
      <PageHeader title="Compare runs" crumbs={crumbs} />
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={320} />}
      {query.data && (
        <Stack gap="xl">
          <section>
            <Title order={2} mb="xs">
              Metrics
            </Title>
            {(query.data.metrics as Row[]).some((row) => row.name?.includes('.')) && (
              <Switch label="Show the metrics of each step, too" checked={every} onChange={(event) => setEvery(event.currentTarget.checked)} mb="sm" />
            )}
            <Grid project={project} runs={query.data.runs} rows={metricRows(query.data.metrics as Row[], every)} label={(row) => metricLabel(row.name ?? '')} best />
          </section>
          <Curves project={project} runs={query.data.runs} />
          <section>
            <Title order={2} mb="xs">
              Parameters
            </Title>
            <Switch label="Show those that are the same, too" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} mb="sm" />
            <Grid
              project={project}
              runs={query.data.runs}
              rows={(query.data.parameters as Row[]).filter((row) => all || row.differs)}
              label={(row) => `${humanise(row.step ?? '')} · ${humanise(row.parameter ?? '').toLowerCase()}`}
              empty="These runs have the same parameters."
            />
          </section>
        </Stack>
      )}
    </>
  )
}

function Grid({ project, runs, rows, label, best = false, empty = 'Nothing to compare.' }: { project: string; runs: Schemas['RunOut'][]; rows: Row[]; label: (row: Row) => string; best?: boolean; empty?: string }) {
  return (
    <div className={classes.compare}>
      <Table fz="sm" withTableBorder>
        <Table.Thead>
          <Table.Tr>
            <Table.Th />
            {runs.map((run) => (
              <Table.Th key={run.id}>
                <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project, run: run.id }} {...props} />}>
                  #{run.number} {run.name || run.pipeline_name}
                </Anchor>
                <Text component="div" size="xs" c="dimmed" fw={400}>
                  <StatusBadge status={run.status} size="sm" /> {duration(elapsed(run.started_at, run.finished_at))}
                </Text>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.length === 0 && (
            <Table.Tr>
              <Table.Td colSpan={runs.length + 1} c="dimmed">
                {empty}
              </Table.Td>
            </Table.Tr>
          )}
          {rows.map((row, index) => {
            const numbers = row.values.filter((v): v is number => typeof v === 'number')
            const winner = best && row.differs && numbers.length > 1 ? (smallerIsBetter(row.name ?? '') ? Math.min(...numbers) : Math.max(...numbers)) : null
            return (
              <Table.Tr key={index} data-differs={(!best && row.differs) || undefined}>
                <Table.Th scope="row" fw={500}>
                  {label(row)}
                </Table.Th>
                {row.values.map((value, at) => (
                  <Table.Td key={at} fw={value === winner && winner !== null ? 700 : undefined}>
                    {value === null || value === undefined ? '–' : typeof value === 'number' ? (best ? score(value) : number(value, 6)) : typeof value === 'object' ? JSON.stringify(value) : String(value)}
                    {value === winner && winner !== null && (
                      <Text span size="xs" c="green" ml={6}>
                        best
                      </Text>
                    )}
                  </Table.Td>
                ))}
              </Table.Tr>
            )
          })}
        </Table.Tbody>
      </Table>
    </div>
  )
}

/** The same metric of all runs in one chart. */
function Curves({ project, runs }: { project: string; runs: Schemas['RunOut'][] }) {
  const queries = useQueries({
    queries: runs.map((run) => ({
      queryKey: [...keys.runs(project), run.id, 'metrics'],
      queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs/{run_id}/metrics', { params: { path: { project, run_id: run.id } } })),
    })),
  })
  const titles = new Map<string, Record<string, unknown>[]>()
  queries.forEach((query, index) => {
    const run = runs[index] as Schemas['RunOut']
    for (const group of groupMetrics(query.data?.points ?? [])) {
      const traces = titles.get(group.title) ?? []
      for (const series of group.series) traces.push({ type: 'scatter', mode: 'lines', name: `#${run.number} ${series.name}`, x: series.x, y: series.y, line: { width: 2 } })
      titles.set(group.title, traces)
    }
  })
  if (titles.size === 0) return null
  return (
    <section>
      <Title order={2} mb="xs">
        Training curves
      </Title>
      <div className={classes.charts}>
        {[...titles].map(([title, data]) => (
          <Chart key={title} title={metricName(title)} height={240} figure={{ data, layout: { hovermode: 'x unified', showlegend: true } }} />
        ))}
      </div>
    </section>
  )
}
