/** One run, live: its graph, the step that is chosen, and below it results, charts, log and timeline. */
import { Alert, Anchor, Button, Progress, Skeleton, Tabs, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertTriangle, IconChartLine, IconFileText, IconPackage, IconPlayerPlay, IconPlayerStop, IconRefresh, IconTimeline } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, duration, elapsed, score } from '@/lib/format'
import { metricMeaning, metricName, ranked } from '@/lib/metrics'
import { useCommands } from '@/ui/commands'
import { ConfirmButton, notifyError } from '@/ui/confirm'
import { Missing } from '@/ui/Missing'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { runQuery, useNow, useRun } from './data'
import { ended, type Run } from './live'
import { LogView } from './LogView'
import { Artifacts, MetricCharts, Timeline } from './panels'
import { RerunDialog } from './RerunDialog'
import { RunGraph, StepList } from './RunGraph'
import classes from './runs.module.css'
import { StepPanel } from './StepPanel'

const TABS = ['charts', 'artifacts', 'logs', 'timeline'] as const
type Tab = (typeof TABS)[number]

export function RunPage() {
  const project = useProjectSlug()
  const { run: id = '' } = useParams({ strict: false })
  const query = useRun(project, id)
  if (query.error && !query.data) {
    return (
      <Missing error={query.error} onRetry={() => void query.refetch()} what="run" icon={IconPlayerPlay} crumb={{ label: 'Runs', to: '/p/$project/runs', params: { project } }}>
        The address may be mistyped, or the run belongs to another project.
      </Missing>
    )
  }
  if (!query.data) {
    return (
      <>
        <PageHeader title="Run" loading crumbs={[{ label: 'Runs', to: '/p/$project/runs', params: { project } }]} />
        <Skeleton h={400} />
      </>
    )
  }
  return <Shown key={id} project={project} run={query.data} />
}

/** The step worth looking at when nobody chose: one that failed, one that runs, else the last that ran. */
function interesting(run: Run): string | null {
  const pick = run.step_runs.find((s) => s.status === 'failed') ?? run.step_runs.find((s) => s.status === 'running')
  const last = [...run.step_runs].sort((a, b) => Date.parse(b.finished_at ?? '') - Date.parse(a.finished_at ?? ''))[0]
  return (pick ?? last ?? run.step_runs[0])?.step ?? null
}

function Shown({ project, run }: { project: string; run: Run }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const can = useCan()
  const search = useSearch({ strict: false }) as { tab?: string; step?: string }
  // What one watches while it runs stays in sight when it ends.
  const [first] = useState<Tab>(ended(run.status) ? 'artifacts' : 'charts')
  const tab: Tab = TABS.find((t) => t === search.tab) ?? first
  const chosen = run.step_runs.find((s) => s.step === search.step)?.step ?? null
  const [again, setAgain] = useState(false)
  const now = useNow(!ended(run.status))
  const shownStep = chosen ?? interesting(run)
  const step = run.step_runs.find((s) => s.step === shownStep)
  const setSearch = useCallback(
    (change: { tab?: Tab; step?: string }) => void navigate({ to: '.', search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false }),
    [navigate],
  )
  const choose = useCallback((key: string) => setSearch({ step: key }), [setSearch])
  const cancel = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/projects/{project}/runs/{run_id}/cancel', { params: { path: { project, run_id: run.id } } })),
    onSuccess: (fresh) => client.setQueryData(runQuery(project, run.id).queryKey, fresh),
    onError: notifyError,
  })
  useCommands(
    () => [{ id: 'run.again', label: 'Run this again…', group: 'Run', icon: IconRefresh, disabled: !can('run.start'), run: () => setAgain(true) }],
    [can, run.id],
  )
  const running = !ended(run.status)
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const broken = run.step_runs.find((s) => s.status === 'failed')
  const panel = step && <StepPanel project={project} run={run} step={step} onOpen={(to) => setSearch({ tab: to, step: step.step })} />
  const title = `#${run.number} ${run.name || run.pipeline_name}`
  return (
    <>
      <PageHeader
        title={title}
        crumbs={[{ label: 'Runs', to: '/p/$project/runs', params: { project } }]}
        badges={<StatusBadge status={run.status} size="lg" />}
        description={
          <>
            <Anchor inherit underline="always" renderRoot={(props) => <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: run.pipeline }} {...props} />}>
              {run.pipeline_name}
            </Anchor>{' '}
            version {run.pipeline_version} · started {ago(run.created_at, now)}
            {run.started_by && ` by ${run.started_by.name || run.started_by.email}`} · {duration(elapsed(run.started_at, run.finished_at, now))}
            {run.trigger && (
              <>
                {' · by the trigger '}
                <Anchor
                  inherit
                  underline="always"
                  renderRoot={(props) => <Link to="/p/$project/triggers/$trigger" params={{ project, trigger: run.trigger?.slug ?? '' }} search={{ event: run.trigger?.event }} {...props} />}
                >
                  {run.trigger.name}
                </Anchor>
              </>
            )}
            {run.rerun_of && (
              <>
                {' · again of '}
                <Anchor inherit underline="always" renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project, run: run.rerun_of as string }} {...props} />}>
                  an earlier run
                </Anchor>
              </>
            )}
          </>
        }
        actions={
          <>
            {running && can('run.cancel') && (
              <ConfirmButton
                title="Cancel this run?"
                message="Steps that run are stopped within seconds. What has finished is kept and reused by the next run."
                confirmLabel="Cancel the run"
                onConfirm={() => cancel.mutateAsync()}
                leftSection={<IconPlayerStop size={16} aria-hidden />}
              >
                Cancel
              </ConfirmButton>
            )}
            {can('run.start') && (
              <Button variant={running ? 'default' : 'filled'} leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => setAgain(true)}>
                Run again…
              </Button>
            )}
          </>
        }
      />
      <Announcer run={run} />
      {run.status === 'failed' && run.error && (
        <Alert mb="md" color="red" icon={<IconAlertTriangle aria-hidden />} title={broken ? `“${broken.name || broken.title}” failed: ${run.error.message}` : run.error.message}>
          {run.error.hint && <Text size="sm">{run.error.hint}</Text>}
          {broken && (
            <Anchor component="button" size="sm" mt={4} onClick={() => setSearch({ tab: 'logs', step: broken.step })}>
              Read its log
            </Anchor>
          )}
        </Alert>
      )}
      {/* Its room is kept while the run has no metrics yet, so that the graph stays where it is when they come. */}
      {(running || Object.keys(run.metrics).length > 0) && (
        <div className={classes.numbers} data-wait={Object.keys(run.metrics).length === 0 || undefined}>
          {Object.keys(run.metrics).length === 0 && (
            <Text size="sm" c="dimmed">
              {run.steps_done} of {run.steps_total} steps done. What its evaluations measure shows here.
            </Text>
          )}
          {ranked(run.metrics).filter(([name]) => !name.includes('.')).slice(0, 6).map(([name, value]) => (
            <div key={name}>
              <Text size="xs" c="dimmed" title={metricMeaning(name) || undefined}>
                {metricName(name)}
              </Text>
              <Text size="lg" fw={650}>
                {score(value)}
              </Text>
            </div>
          ))}
        </div>
      )}
      {phone ? (
        <StepList run={run} selected={chosen} onSelect={(key) => setSearch({ step: key })}>
          {panel}
        </StepList>
      ) : (
        <RunGraph run={run} selected={shownStep} onSelect={choose} />
      )}
      <div className={classes.whole}>{running && <Progress value={run.progress * 100} size="sm" aria-label={`${run.steps_done} of ${run.steps_total} steps done`} />}</div>
      <div className={classes.split}>
        <Tabs value={tab} onChange={(value) => setSearch({ tab: (value as Tab) ?? 'charts' })} keepMounted={false} miw={0}>
          <Tabs.List mb="md">
            <Tabs.Tab value="artifacts" leftSection={!phone && <IconPackage size={16} aria-hidden />}>
              Results
            </Tabs.Tab>
            <Tabs.Tab value="charts" leftSection={!phone && <IconChartLine size={16} aria-hidden />}>
              Charts
            </Tabs.Tab>
            <Tabs.Tab value="logs" leftSection={!phone && <IconFileText size={16} aria-hidden />}>
              Log
            </Tabs.Tab>
            <Tabs.Tab value="timeline" leftSection={!phone && <IconTimeline size={16} aria-hidden />}>
              Timeline
            </Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="charts">
            <MetricCharts project={project} run={run} />
          </Tabs.Panel>
          <Tabs.Panel value="artifacts">
            <Artifacts key={chosen ?? ''} project={project} run={run} step={chosen} />
            {chosen && (
              <Button variant="subtle" size="compact-sm" mt="sm" onClick={() => setSearch({ step: undefined })}>
                Show the results of all steps
              </Button>
            )}
          </Tabs.Panel>
          <Tabs.Panel value="logs">
            <LogView project={project} run={run} step={chosen} onStep={(key) => setSearch({ step: key ?? undefined })} />
          </Tabs.Panel>
          <Tabs.Panel value="timeline">
            <Timeline run={run} onStep={choose} />
          </Tabs.Panel>
        </Tabs>
        {!phone && (
          <aside className={classes.side} aria-label="The chosen step">
            {panel}
          </aside>
        )}
      </div>
      <RerunDialog opened={again} onClose={() => setAgain(false)} project={project} run={run} />
    </>
  )
}

/** Says aloud how the run goes, once a change. */
function Announcer({ run }: { run: Run }) {
  const [text, setText] = useState('')
  const status = run.status
  const done = run.steps_done
  useEffect(() => setText(`Run ${status}, ${done} of ${run.steps_total} steps done`), [status, done, run.steps_total])
  return (
    <Text role="status" style={{ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }}>
      {text}
    </Text>
  )
}
