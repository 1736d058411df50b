/** The smaller panels of a run: charts of its metrics, its timeline, what it made. */
import { Accordion, Badge, Group, Select, Skeleton, Text } from '@mantine/core'
import { IconChartLine, IconPackage } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { duration, humanise } from '@/lib/format'
import { metricName } from '@/lib/metrics'
import { ArtifactPreview, describe, DownloadLink } from '@/ui/artifact'
import { Chart } from '@/ui/chart'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { More, usePieces } from '@/ui/pieces'
import { statusLook } from '@/ui/StatusBadge'
import { useMetrics, useNow } from './data'
import { ended, groupMetrics, timeline, type Run } from './live'
import classes from './runs.module.css'

export function MetricCharts({ project, run }: { project: string; run: Run }) {
  const { points, loading, error } = useMetrics(project, run)
  const steps = useMemo(() => [...new Set(points.map((p) => p.step))], [points])
  const [step, setStep] = useState<string | null>(null)
  const groups = useMemo(() => groupMetrics(points, step ?? undefined), [points, step])
  if (error && points.length === 0) return <ErrorNotice error={error} />
  if (loading && points.length === 0) return <Skeleton h={240} />
  if (groups.length === 0) {
    return (
      <EmptyState icon={IconChartLine} title={ended(run.status) ? 'This run logged no metrics over time' : 'No metrics yet'} compact>
        {ended(run.status) ? 'Training steps log their loss and accuracy; the results of evaluations are under Results.' : 'As soon as a training step logs its loss it is drawn here, live.'}
      </EmptyState>
    )
  }
  const titleOf = (key: string) => run.step_runs.find((s) => s.step === key)?.name || run.step_runs.find((s) => s.step === key)?.title || key
  return (
    <>
        {steps.length > 1 && (
          <Select aria-label="Step" placeholder="All steps" clearable data={steps.map((s) => ({ value: s, label: titleOf(s) }))} value={step} onChange={setStep} w={220} mb="sm" />
        )}
        <div className={classes.charts}>
          {groups.map((group) => (
            <Chart
              key={group.title}
              title={metricName(group.title)}
              height={240}
              downloadable
              figure={{
                data: group.series.map((series) => ({
                  type: 'scatter',
                  mode: series.x.length < 2 ? 'markers' : 'lines',
                  name: steps.length > 1 && !step ? `${titleOf(series.step)} · ${series.name}` : humanise(series.name),
                  x: series.x,
                  y: series.y,
                  line: { width: 2 },
                  hovertemplate: '%{y:.5g}<extra>%{fullData.name}</extra>',
                })),
                layout: { hovermode: 'x unified', showlegend: group.series.length > 1, xaxis: { title: counted(run, group.series[0]?.step), rangemode: 'tozero' }, yaxis: { tickformat: '.3~g' } },
              }}
            />
          ))}
        </div>
    </>
  )
}

/** What a training step counts along its charts, as its parameters tell. */
function counted(run: Run, key: string | undefined): string {
  const parameters = run.step_runs.find((s) => s.step === key)?.parameters ?? {}
  return 'epochs' in parameters ? 'Epoch' : 'Round'
}

export function Timeline({ run, onStep }: { run: Run; onStep: (step: string) => void }) {
  const now = useNow(!ended(run.status))
  const { bars, total } = timeline(run, now)
  const pieces = usePieces(bars)
  return (
    <>
      <div className={classes.timeline} role="table" aria-label="Timeline">
        <span aria-hidden />
        <span className={classes.ticks} aria-hidden>
          <span>0</span>
          <span>{duration(total)}</span>
        </span>
        <span aria-hidden />
        {pieces.shown.map(({ step, ready, start, end }) => {
          const share = (value: number) => `${(value / total) * 100}%`
          return (
            <div key={step.id} role="row" style={{ display: 'contents' }}>
              <span role="cell" style={{ minWidth: 0, display: 'flex' }}>
                <button type="button" className={classes.timelineName} onClick={() => onStep(step.step)}>
                  {step.name || step.title}
                </button>
              </span>
              <span role="cell" className={classes.track} aria-hidden>
                {ready !== null && start !== null && start > ready && <span className={classes.wait} style={{ left: share(ready), width: share(start - ready) }} />}
                {start !== null && end !== null && step.status !== 'skipped' && (
                  <span className={classes.bar} style={{ left: share(start), width: share(end - start), ['--bar' as string]: `var(--mantine-color-${statusLook(step.status).color}-6)` }} />
                )}
              </span>
              <Text role="cell" size="xs" c="dimmed" ta="right">
                {step.status === 'skipped' ? (step.skip_reason === 'cached' ? 'reused' : 'skipped') : start !== null && end !== null ? duration(end - start) : step.status}
              </Text>
            </div>
          )
        })}
      </div>
      <More {...pieces} what="steps" />
    </>
  )
}

/** Kinds people look at first come first and open. */
const ORDER = ['Metrics', 'Figures', 'Model', 'Table', 'Images']

/** What judges a model says more than what trained it, and a comparison more than each evaluation. */
function weight(component: string): number {
  return component.startsWith('compare') ? 0 : component.startsWith('evaluate') ? 1 : 2
}

export function Artifacts({ project, run, step }: { project: string; run: Run; step: string | null }) {
  const all = run.step_runs
    .filter((s) => !step || s.step === step)
    .flatMap((s) => s.outputs.map((output) => ({ ...output, id: `${s.step}.${output.port}`, by: s.name || s.title, weight: weight(s.component) })))
  const rank = (kind: string) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length)
  // Metrics and figures of what judges first; then by kind. Sorting keeps the order of the run where nothing decides.
  const early = (o: (typeof all)[number]) => (rank(o.artifact.kind) < 2 ? o.weight * 2 + rank(o.artifact.kind) : 10 + rank(o.artifact.kind))
  const sorted = [...all].sort((a, b) => early(a) - early(b))
  const [open, setOpen] = useState<string[] | null>(null)
  const pieces = usePieces(sorted)
  if (sorted.length === 0) {
    return (
      <EmptyState icon={IconPackage} title="Nothing made yet" compact>
        Tables, models, metrics and figures show here as soon as the step that makes them has finished.
      </EmptyState>
    )
  }
  const shown = open ?? sorted.filter((o) => o.artifact.kind === 'Metrics' || o.artifact.kind === 'Figures').slice(0, 2).map((o) => o.id)
  return (
    <>
      <Accordion multiple variant="separated" className={classes.results} value={shown} onChange={setOpen} keepMounted={false}>
        {pieces.shown.map((output) => (
          <Accordion.Item key={output.id} value={output.id}>
            <Accordion.Control>
              <Group gap="xs">
                <Text size="sm" fw={600}>
                  {output.by}
                </Text>
                <Text size="sm">{humanise(output.port)}</Text>
                {humanise(output.port) !== output.artifact.kind && (
                  <Badge size="sm" color="gray">
                    {output.artifact.kind}
                  </Badge>
                )}
                <Text size="xs" c="dimmed">
                  {describe(output.artifact)}
                </Text>
              </Group>
            </Accordion.Control>
            <Accordion.Panel>
              <ArtifactPreview project={project} artifact={output.artifact} />
              <Group justify="flex-end" mt="xs">
                <DownloadLink project={project} artifact={output.artifact} />
              </Group>
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
      <More {...pieces} what="results" />
    </>
  )
}
