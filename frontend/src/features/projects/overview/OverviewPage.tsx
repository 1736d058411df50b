import { Anchor, Badge, Button, Group, Paper, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core'
import { IconApi, IconBox, IconDatabase, IconPlayerPlay, IconRoute, IconRocket, IconSparkles, IconUpload, type Icon } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, type LinkProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { api, unwrap } from '@/api/client'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, bytes, count, duration, elapsed, number, plural } from '@/lib/format'
import { metricName, ranked } from '@/lib/metrics'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { nextStep, type Counts, type NextStep } from './next'
import classes from './OverviewPage.module.css'

const LIMIT = 100

/** The project on one page: the route with what stands at each station, what to do next, what happened last. */
export function OverviewPage() {
  const project = useProjectSlug()
  const client = useQueryClient()
  const path = { project }
  const info = useQuery({ queryKey: [...keys.project(project), 'project'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}', { params: { path } })) })
  const datasets = useQuery({ queryKey: [...keys.datasets(project), 'overview'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets', { params: { path, query: { limit: LIMIT } } })) })
  const pipelines = useQuery({ queryKey: [...keys.pipelines(project), 'overview'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/pipelines', { params: { path, query: { limit: LIMIT } } })) })
  const runs = useQuery({ queryKey: [...keys.runs(project), 'overview'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs', { params: { path, query: { limit: 6 } } })) })
  const models = useQuery({ queryKey: [...keys.models(project), 'overview'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models', { params: { path } })) })
  const endpoints = useQuery({ queryKey: [...keys.endpoints(project), 'overview'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/endpoints', { params: { path } })) })

  useLive('project', (event) => {
    if (event.type === 'run_changed') void client.invalidateQueries({ queryKey: [...keys.runs(project), 'overview'] })
  })

  const sizes = [datasets, pipelines, runs, models, endpoints].map((q) => sizeOf(q.data))
  const known = sizes.every((s) => s !== null)
  const counts: Counts = { datasets: sizes[0]?.n ?? 0, pipelines: sizes[1]?.n ?? 0, runs: sizes[2]?.n ?? 0, models: sizes[3]?.n ?? 0, endpoints: sizes[4]?.n ?? 0 }
  const running = itemsOf(runs.data).filter((r) => r.status === 'running' || r.status === 'queued').length
  const rate = itemsOf(endpoints.data).reduce((sum, e) => sum + e.requests_per_minute, 0)
  const firstError = [info, datasets, pipelines, runs, models, endpoints].find((q) => q.error && !q.data)

  const stations: { label: string; icon: Icon; to: LinkProps['to']; size: { n: number; more: boolean } | null; note: string }[] = [
    { label: 'Data sets', icon: IconDatabase, to: '/p/$project/datasets', size: sizes[0]!, note: itemsOf(datasets.data).length ? bytes(itemsOf(datasets.data).reduce((s, d) => s + d.size, 0)) : 'none yet' },
    { label: 'Pipelines', icon: IconRoute, to: '/p/$project/pipelines', size: sizes[1]!, note: plural(itemsOf(pipelines.data).filter((p) => p.latest_version).length, 'published', 'published') },
    { label: 'Runs', icon: IconPlayerPlay, to: '/p/$project/runs', size: sizes[2]!, note: running ? `${running} running now` : 'none running' },
    { label: 'Models', icon: IconBox, to: '/p/$project/models', size: sizes[3]!, note: plural(itemsOf(models.data).reduce((s, m) => s + (m.latest_version ?? 0), 0), 'version') },
    { label: 'Endpoints', icon: IconApi, to: '/p/$project/endpoints', size: sizes[4]!, note: rate > 0 ? `${number(rate, 2)} requests a minute` : 'no requests now' },
  ]

  return (
    <>
      <PageHeader title={info.data?.name ?? project} loading={info.isPending} description={info.data?.description} />
      {firstError && <ErrorNotice error={firstError.error} onRetry={() => void firstError.refetch()} />}
      <nav aria-label="The route" className={classes.route}>
        <svg className={classes.water} viewBox="0 0 1000 60" preserveAspectRatio="none" aria-hidden>
          <path d="M0 30 C 60 8, 120 52, 180 30 S 300 8, 400 30 S 520 52, 600 30 S 720 8, 800 30 S 940 50, 1000 30" />
          <path d="M0 40 C 60 18, 120 62, 180 40 S 300 18, 400 40 S 520 62, 600 40 S 720 18, 800 40 S 940 60, 1000 40" />
        </svg>
        <ol>
          {stations.map((s) => (
            <li key={s.label}>
              <Link to={s.to} params={{ project } as never} className={classes.station} data-empty={s.size?.n === 0 || undefined}>
                <span className={classes.dot}>
                  <s.icon size={22} stroke={1.7} aria-hidden />
                </span>
                <span className={classes.words}>
                  <span className={classes.count}>{s.size === null ? <Skeleton h={22} w={28} /> : `${count(s.size.n)}${s.size.more ? '+' : ''}`}</span>
                  <span className={classes.label}>{s.label}</span>
                  <span className={classes.note}>{s.size === null ? ' ' : s.note}</span>
                </span>
              </Link>
            </li>
          ))}
        </ol>
      </nav>
      {known && <Next step={nextStep(counts)} project={project} endpoint={itemsOf(endpoints.data)[0]?.slug} run={itemsOf(runs.data)[0]?.id} model={itemsOf(models.data)[0]?.slug} />}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" mt="lg">
        <Panel title="Newest runs" to="/p/$project/runs" project={project} empty={!runs.isPending && counts.runs === 0 ? <EmptyState compact icon={IconPlayerPlay} title="No run yet">A run takes a pipeline from its data to its results. You watch it live.</EmptyState> : null}>
          {runs.isPending && <Skeletons />}
          {itemsOf(runs.data).map((run) => (
            <Link key={run.id} to="/p/$project/runs/$run" params={{ project, run: run.id }} className={classes.row}>
              <div className={classes.rowText}>
                <Text size="sm" fw={560} truncate>
                  {run.name || run.pipeline_name} <Text span c="dimmed" size="sm">#{run.number}</Text>
                </Text>
                <Text size="xs" c="dimmed" truncate>
                  {ago(run.created_at)} · {run.status === 'running' ? `${run.steps_done} of ${run.steps_total} steps` : duration(elapsed(run.started_at, run.finished_at))}
                  {run.started_by ? ` · ${run.started_by.name}` : ''}
                </Text>
              </div>
              <Metric metrics={run.metrics} />
              <StatusBadge status={run.status} />
            </Link>
          ))}
        </Panel>
        <Panel title="Models that answer" to="/p/$project/endpoints" project={project} empty={!endpoints.isPending && counts.endpoints === 0 ? <EmptyState compact icon={IconApi} title="No endpoint yet">Deploy a model version: its endpoint answers over HTTP seconds later.</EmptyState> : null}>
          {endpoints.isPending && <Skeletons />}
          {itemsOf(endpoints.data).slice(0, 6).map((e) => (
            <Link key={e.id} to="/p/$project/endpoints/$endpoint" params={{ project, endpoint: e.slug }} className={classes.row}>
              <div className={classes.rowText}>
                <Text size="sm" fw={560} truncate>
                  {e.name}
                </Text>
                <Text size="xs" c="dimmed" truncate>
                  {plural(e.predictions, 'prediction')}
                  {e.latency_ms_p50 !== null ? ` · ${number(e.latency_ms_p50, 2)} ms` : ''}
                </Text>
              </div>
              <StatusBadge status={e.status} />
            </Link>
          ))}
        </Panel>
      </SimpleGrid>
    </>
  )
}

function Metric({ metrics }: { metrics: Record<string, number> }) {
  const first = ranked(metrics)[0]
  return first ? (
    <Badge color="gray" visibleFrom="sm" className="tabular">
      {metricName(first[0])} {number(first[1], 3)}
    </Badge>
  ) : null
}

function Skeletons() {
  return (
    <Stack gap="sm" p="md">
      {[0, 1, 2].map((i) => (
        <Skeleton key={i} h={34} />
      ))}
    </Stack>
  )
}

function Panel({ title, to, project, children, empty }: { title: string; to: LinkProps['to']; project: string; children: ReactNode; empty: ReactNode }) {
  return (
    <Paper component="section" aria-label={title}>
      <Group justify="space-between" px="md" py="sm" className={classes.panelHead}>
        <Title order={2} size="h3">
          {title}
        </Title>
        <Anchor size="sm" renderRoot={(props) => <Link to={to} params={{ project } as never} {...props} />}>
          All<span className="visually-hidden"> of: {title}</span>
        </Anchor>
      </Group>
      {empty ?? children}
    </Paper>
  )
}

type Action = { label: string; icon: Icon; to: LinkProps['to']; params?: Record<string, string | undefined>; search?: Record<string, unknown> }

function Next({ step, project, endpoint, run, model }: { step: NextStep; project: string; endpoint?: string; run?: string; model?: string }) {
  const can = useCan()
  const template: Action = { label: 'Start from a template', icon: IconSparkles, to: '/p/$project/templates' }
  const steps: Record<NextStep, { needs: string; title: string; text: string; actions: Action[] }> = {
    upload: {
      needs: 'dataset.write',
      title: 'Bring your data, or start from a template',
      text: 'Upload a CSV, Parquet, JSON Lines or Excel file, or a folder or archive of images. A template brings real data of its own and runs at once.',
      actions: [{ label: 'Upload data', icon: IconUpload, to: '/p/$project/datasets', search: { upload: true } }, template],
    },
    pipeline: {
      needs: 'pipeline.write',
      title: 'Draw a pipeline on your data',
      text: 'Split, prepare, train, evaluate: put the steps together on the canvas, or start from a template and choose your data set in it.',
      actions: [{ label: 'New pipeline', icon: IconRoute, to: '/p/$project/pipelines', search: { new: true } }, template],
    },
    run: { needs: 'run.start', title: 'Run your pipeline', text: 'Open it and press Run. Every step shows live how far it is.', actions: [{ label: 'Open the pipelines', icon: IconRoute, to: '/p/$project/pipelines' }] },
    register: {
      needs: 'model.write',
      title: 'Keep the model of a good run',
      text: 'Add a Register step behind training, and its model appears under Models with its metrics and where it came from.',
      actions: [run ? { label: 'Look at the newest run', icon: IconPlayerPlay, to: '/p/$project/runs/$run', params: { run } } : template],
    },
    deploy: {
      needs: 'endpoint.deploy',
      title: 'Let your model answer',
      text: 'One click on a model version deploys it. The endpoint answers within seconds.',
      actions: [{ label: 'Open the model', icon: IconRocket, to: model ? '/p/$project/models/$model' : '/p/$project/models', params: { model } }],
    },
    done: {
      needs: 'endpoint.predict',
      title: 'The whole route runs',
      text: 'Try a prediction in the page, or call the endpoint from your program.',
      actions: [{ label: 'Open the endpoint', icon: IconApi, to: '/p/$project/endpoints/$endpoint', params: { endpoint } }],
    },
  }
  const { needs, title, text, actions } = steps[step]
  if (!can(needs)) return null
  return (
    <Paper component="section" aria-label="What to do next" p="lg" className={classes.next}>
      <Group justify="space-between" gap="md">
        <div className={classes.rowText}>
          <Text size="xs" fw={620} c="var(--hr-selected-text)">
            {step === 'done' ? 'Live' : 'Next'}
          </Text>
          <Title order={2} size="h2">
            {title}
          </Title>
          <Text size="sm" maw={640} mt={2}>
            {text}
          </Text>
        </div>
        <Group gap="xs">
          {actions.map((a, i) => (
            <Button key={a.label} variant={i === 0 ? 'filled' : 'default'} leftSection={<a.icon size={16} aria-hidden />} renderRoot={(props) => <Link to={a.to} params={{ project, ...a.params } as never} search={a.search as never} {...props} />}>
              {a.label}
            </Button>
          ))}
        </Group>
      </Group>
    </Paper>
  )
}

type Listed<T> = T[] | { items: T[]; next?: string | null; total?: number | null } | undefined

function itemsOf<T>(data: Listed<T>): T[] {
  return Array.isArray(data) ? data : (data?.items ?? [])
}

function sizeOf(data: Listed<unknown>): { n: number; more: boolean } | null {
  if (!data) return null
  if (Array.isArray(data)) return { n: data.length, more: false }
  return data.total != null ? { n: data.total, more: false } : { n: data.items.length, more: Boolean(data.next) }
}
