/** One run, live: its graph, the step that is chosen, and below it results, charts, log and timeline. */
import { Alert, Anchor, Badge, Breadcrumbs, Button, Group, Progress, Skeleton, Tabs, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconAlertTriangle, IconChartLine, IconFileText, IconPackage, IconPlayerPlay, IconPlayerStop, IconPlayerTrackNext, IconRefresh, IconTestPipe, IconTimeline } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, duration, elapsed } from '@/lib/format'
import { useCommands } from '@/ui/commands'
import { ConfirmButton, notifyError } from '@/ui/confirm'
import { Missing } from '@/ui/Missing'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { runQuery, useInside, useNow, useRun, useStepAt, useWaitAt, useWaits } from './data'
import { DryRunNotice, Forecast } from './Forecast'
import { Headline } from './Headline'
import { HeatStrip } from './HeatStrip'
import { ended, runsMany, shardOf, type Run, type StepRun } from './live'
import { LogView } from './LogView'
import { Artifacts, MetricCharts, Timeline } from './panels'
import { PriorityMenu } from './Priority'
import { RerunDialog } from './RerunDialog'
import { RunGraph, StepList } from './RunGraph'
import classes from './runs.module.css'
import { StepPanel } from './StepPanel'

const TABS = ['charts', 'artifacts', 'logs', 'timeline', 'forecast'] as const
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

/** The step worth looking at when nobody chose: one that failed, one that runs, one that waits, else the last that ran. */
function interesting(run: Run): string | null {
  const pick = run.step_runs.find((s) => s.status === 'failed') ?? run.step_runs.find((s) => s.status === 'waiting') ?? run.step_runs.find((s) => s.status === 'running') ?? (ended(run.status) ? undefined : run.step_runs.find((s) => s.status === 'queued'))
  // Times of one form compare as text.
  const last = run.step_runs.reduce<StepRun | undefined>((newest, step) => ((step.finished_at ?? '') > (newest?.finished_at ?? '') ? step : newest), undefined)
  return (pick ?? last ?? run.step_runs[0])?.step ?? null
}

function Shown({ project, run }: { project: string; run: Run }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const can = useCan()
  const search = useSearch({ strict: false }) as { tab?: string; step?: string; inside?: string }
  // What one watches while it runs stays in sight when it ends.
  const [first] = useState<Tab>(ended(run.status) ? 'artifacts' : 'charts')
  const tab: Tab = TABS.find((t) => t === search.tab) ?? first
  // A path names a step, or one of its shards: that one is asked for by itself.
  const path = search.step ?? null
  const known = run.step_runs.find((s) => s.step === path)
  const owner = known ?? run.step_runs.find((s) => path !== null && shardOf(s.step, path) !== null)
  const shardPath = path !== null && !known && owner ? path : null
  const shard = useStepAt(project, run, shardPath)
  const chosen = owner ? path : null
  const inside = run.step_runs.find((s) => s.step === search.inside && s.component.startsWith('pipeline:')) ?? null
  const graph = useInside(project, run, inside)
  const [again, setAgain] = useState<'again' | 'continue' | null>(null)
  const now = useNow(!ended(run.status))
  const best = useMemo(() => interesting(run), [run])
  const shownStep = owner?.step ?? best
  const step = shardPath ? (shard.data && owner ? { ...shard.data, name: `${owner.name || owner.title} [${shardOf(owner.step, shardPath)}]` } : undefined) : run.step_runs.find((s) => s.step === shownStep)
  const many = run.step_runs.find((s) => s.step === shownStep && runsMany(run, s))
  const undone = run.step_runs.filter((s) => s.undoes)
  const whole = useMemo(() => (shard.data && shardPath ? { ...run, step_runs: [...run.step_runs, shard.data] } : run), [run, shard.data, shardPath])
  const setSearch = useCallback(
    (change: { tab?: Tab; step?: string; inside?: string }) => void navigate({ to: '.', search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false }),
    [navigate],
  )
  const choose = useCallback((key: string) => setSearch({ step: key }), [setSearch])
  const openInside = useCallback((key: string) => setSearch({ inside: key, step: key }), [setSearch])
  const cancel = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/projects/{project}/runs/{run_id}/cancel', { params: { path: { project, run_id: run.id } } })),
    onSuccess: (fresh) => client.setQueryData(runQuery(project, run.id).queryKey, fresh),
    onError: notifyError,
  })
  useCommands(
    () => [
      { id: 'run.again', label: 'Run this again…', group: 'Run', icon: IconRefresh, disabled: !can('run.start'), run: () => setAgain('again') },
      { id: 'run.continue', label: 'Continue this run…', group: 'Run', icon: IconPlayerTrackNext, disabled: !can('run.start') || !ended(run.status), run: () => setAgain('continue') },
    ],
    [can, run.id, run.status],
  )
  const running = !ended(run.status)
  const waits = useWaits(project, run)
  const shardWaits = useWaitAt(project, run, shard.data)
  // Nothing of it runs: what it waits for is what people want to know first.
  const held = running && !run.step_runs.some((s) => s.status === 'running') ? run.step_runs.find((s) => (s.status === 'queued' || s.status === 'waiting') && waits.has(s.step)) : undefined
  const still = held ? `“${held.name || held.title}”: ${waits.get(held.step)}.` : ''
  const phone = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const broken = run.step_runs.find((s) => s.status === 'failed')
  const panel = step && <StepPanel project={project} run={run} step={step} why={waits.get(step.step) || shardWaits} onOpen={(to) => setSearch({ tab: to, step: step.step })} />
  const title = `#${run.number} ${run.name || run.pipeline_name}`
  return (
    <>
      <PageHeader
        title={title}
        crumbs={[{ label: 'Runs', to: '/p/$project/runs', params: { project } }]}
        badges={
          <Group gap="xs">
            <StatusBadge status={run.status} size="lg" />
            {run.sample && (
              <Badge size="lg" color="grape" leftSection={<IconTestPipe size={14} aria-hidden />}>
                Dry run
              </Badge>
            )}
            <PriorityMenu project={project} run={run} />
          </Group>
        }
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
            {can('run.start') && !running && run.status !== 'succeeded' && (
              <Button leftSection={<IconPlayerTrackNext size={16} aria-hidden />} onClick={() => setAgain('continue')}>
                Continue…
              </Button>
            )}
            {can('run.start') && run.status === 'succeeded' && (
              <Button variant="default" leftSection={<IconPlayerTrackNext size={16} aria-hidden />} onClick={() => setAgain('continue')}>
                Continue…
              </Button>
            )}
            {can('run.start') && (
              <Button variant={run.status === 'succeeded' ? 'filled' : 'default'} leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => setAgain('again')}>
                Run again…
              </Button>
            )}
          </>
        }
      />
      <Announcer run={run} />
      <DryRunNotice run={run} onForecast={() => setSearch({ tab: 'forecast' })} />
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
              {run.steps_done} of {run.steps_total} steps done. {still || 'What its evaluations measure shows here.'}
            </Text>
          )}
          <Headline metrics={run.metrics} />
        </div>
      )}
      {still && Object.keys(run.metrics).length > 0 && (
        <Text size="sm" c="dimmed" mb="sm">
          {still}
        </Text>
      )}
      {phone ? (
        <StepList run={run} waits={waits} selected={owner?.step ?? null} onSelect={(key) => setSearch({ step: key })}>
          {panel}
        </StepList>
      ) : (
        <>
          {inside && (
            <Breadcrumbs mb={6} component="nav" aria-label="Opened step">
              <Anchor component="button" size="sm" onClick={() => setSearch({ inside: undefined })}>
                The whole run
              </Anchor>
              <Text size="sm" aria-current="page">
                {inside.name || inside.title}
              </Text>
            </Breadcrumbs>
          )}
          <RunGraph key={inside?.step ?? ''} run={run} waits={waits} graph={graph} inside={inside?.step ?? null} selected={shownStep} onSelect={choose} onOpen={openInside} />
        </>
      )}
      {many && <HeatStrip key={many.id} project={project} run={run} step={many} chosen={shardPath ? shardOf(many.step, shardPath) : null} onChoose={(number) => setSearch({ step: number === null ? many.step : `${many.step}[${number}]` })} />}
      {undone.length > 0 && <Undone steps={undone} run={run} onStep={choose} />}
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
            {run.sample && (
              <Tabs.Tab value="forecast" leftSection={!phone && <IconTestPipe size={16} aria-hidden />}>
                Full run
              </Tabs.Tab>
            )}
          </Tabs.List>
          <Tabs.Panel value="charts">
            <MetricCharts project={project} run={whole} />
          </Tabs.Panel>
          <Tabs.Panel value="artifacts">
            <Artifacts key={chosen ?? ''} project={project} run={whole} step={chosen} />
            {chosen && (
              <Button variant="subtle" size="compact-sm" mt="sm" onClick={() => setSearch({ step: undefined })}>
                Show the results of all steps
              </Button>
            )}
          </Tabs.Panel>
          <Tabs.Panel value="logs">
            <LogView project={project} run={whole} step={chosen} onStep={(key) => setSearch({ step: key ?? undefined })} />
          </Tabs.Panel>
          <Tabs.Panel value="forecast">
            <Forecast project={project} run={run} />
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
      <RerunDialog mode={again} onClose={() => setAgain(null)} project={project} run={run} />
    </>
  )
}

/** What put right what the run had done, last first. */
function Undone({ steps, run, onStep }: { steps: StepRun[]; run: Run; onStep: (step: string) => void }) {
  return (
    <Group gap="xs" mt="sm" component="section" aria-label="Undone">
      <Text size="sm" fw={600}>
        Undone:
      </Text>
      {steps.map((step) => {
        const of = run.step_runs.find((one) => one.id === step.undoes)
        return (
          <Group key={step.id} gap={6} wrap="nowrap">
            <Anchor component="button" size="sm" onClick={() => onStep(step.step)}>
              {of?.name || of?.title || step.step} by {step.title}
            </Anchor>
            <StatusBadge status={step.status} size="sm" hint={step.error?.message} />
          </Group>
        )
      })}
    </Group>
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
