/** What live events change in what is already shown. Pure. */
import type { LiveEvent } from '@/api/events'
import type { Schemas } from '@/api/client'

export type Run = Schemas['RunOut']
export type StepRun = Schemas['StepRunOut']
export type Point = Schemas['MetricPoint']
export type Line = Schemas['LogLine']
export type Status = Run['status']

export const ENDED: readonly string[] = ['succeeded', 'failed', 'cancelled', 'skipped']

export function ended(status: string): boolean {
  return ENDED.includes(status)
}

/**
 * The run with one event applied, the same object when it changes nothing. An event older than the answer it would change is
 * ignored. Events carry no times and no outputs: `stale` says when the run should be asked for again.
 */
export function applyEvent(run: Run, event: LiveEvent): { run: Run; stale: boolean } {
  if (!('run' in event) || event.run !== run.id) return { run, stale: false }
  if (event.type === 'run_changed') {
    if (event.seq && event.seq <= run.last_event) return { run, stale: false }
    const changed = event.status !== run.status
    return {
      run: { ...run, status: event.status, steps_done: event.steps_done, progress: event.progress, last_event: Math.max(run.last_event, event.seq) },
      stale: changed,
    }
  }
  if (event.type === 'step_run_changed') {
    const before = run.step_runs.find((s) => s.id === event.step_run)
    if (!before || event.attempt < before.attempt) return { run, stale: false }
    if (event.seq && event.seq <= run.last_event && event.status === before.status && event.progress <= before.progress) return { run, stale: false }
    const after = { ...before, status: event.status, attempt: event.attempt, progress: event.progress, message: event.message, shards: counted(event.message) ?? before.shards }
    return {
      run: { ...run, step_runs: run.step_runs.map((s) => (s === before ? after : s)), last_event: Math.max(run.last_event, event.seq) },
      stale: before.status !== event.status,
    }
  }
  return { run, stale: false }
}

/** What a step that made others says of them, `7 of 40, 1 failed`, as numbers. */
export function counted(message: string): StepRun['shards'] {
  const found = /^(\d+) of (\d+)(?:, (\d+) failed)?$/.exec(message)
  return found ? { total: Number(found[2]), open: Number(found[2]) - Number(found[1]), failed: Number(found[3] ?? 0) } : null
}

export type Shard = Schemas['ShardOut']

/** A shard's number, where `path` is one of `step`'s: `train[7]` of `train`. */
export function shardOf(step: string, path: string): number | null {
  const found = path.startsWith(`${step}[`) ? /^\[(\d+)\]$/.exec(path.slice(step.length)) : null
  return found ? Number(found[1]) : null
}

/** The shards with what events said since; the same list when they said nothing new. */
export function withEvents(shards: readonly Shard[], step: string, events: ReadonlyMap<string, { status: Status; attempt: number }>): readonly Shard[] {
  let next: Shard[] | null = null
  for (const [path, { status, attempt }] of events) {
    const number = shardOf(step, path)
    if (number === null) continue
    const list: readonly Shard[] = next ?? shards
    const index = list[number]?.shard === number ? number : list.findIndex((one) => one.shard === number)
    const old = list[index]
    if (!old || old.attempt > attempt || (old.attempt === attempt && ended(old.status)) || (old.status === status && old.attempt === attempt)) continue
    next ??= [...shards]
    next[index] = { ...old, status, attempt }
  }
  return next ?? shards
}

/** The steps that are drawn: those of the pipeline itself, or those inside a step that is one. Compensations are listed, not drawn. */
export function drawn(run: Run, inside: string | null): StepRun[] {
  return run.step_runs.filter((step) => !step.undoes && step.shard === null && (inside === null ? step.parent === null : step.step.startsWith(`${inside}.`) && !step.step.slice(inside.length + 1).includes('.')))
}

/** Did this step make shards or rounds? A pipeline as a step makes steps too: those are inside it, not beside each other. */
export function runsMany(run: Run, step: StepRun): boolean {
  const flow = run.graph.steps?.[step.step]
  return step.shards !== null && (!step.component.startsWith('pipeline:') || Boolean(flow?.map ?? flow?.repeat))
}

/** The step of the pipeline itself that a path lies in: `prepare` of `prepare[3].clean`. */
export function rootOf(path: string): string {
  return path.split(/[.[~]/, 1)[0] ?? path
}

/** `slug@3#digest`, as a run keeps it, back to `slug@3`, as people choose it. */
export function unpin(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^([a-z0-9-]+@\d+)#.+$/, '$1') : value
}

/** Appends points or lines that are new (by id); order is kept. `limit` drops the oldest. */
export function append<T extends { id: number }>(known: readonly T[], fresh: readonly T[], limit = Infinity): readonly T[] {
  const last = known.length ? (known[known.length - 1] as T).id : 0
  let added = fresh.filter((entry) => entry.id > last)
  if (added.length !== fresh.length) {
    const ids = new Set(known.slice(-5000).map((entry) => entry.id))
    added = fresh.filter((entry) => !ids.has(entry.id))
  }
  if (added.length === 0) return known
  const all = [...known, ...added]
  if (known.length && (added[0] as T).id < last) all.sort((a, b) => a.id - b.id)
  return all.length > limit ? all.slice(all.length - limit) : all
}

export type Series = { name: string; step: string; attempt: number; x: number[]; y: (number | null)[] }
export type ChartGroup = { title: string; series: Series[] }

/** The name without the part that says on which data: `train/loss`, `val_loss` and `loss` share a chart. */
export function baseName(name: string): string {
  return name.replace(/^(train|training|val|valid|validation|test)[/_. ]/, '')
}

/** Series by chart. Of a step that ran again only the newest attempt is drawn. */
export function groupMetrics(points: readonly Point[], step?: string): ChartGroup[] {
  const newest = new Map<string, number>()
  for (const point of points) newest.set(point.step, Math.max(newest.get(point.step) ?? 0, point.attempt))
  const series = new Map<string, Series>()
  for (const point of points) {
    if ((step && point.step !== step) || point.attempt !== newest.get(point.step)) continue
    const key = `${point.step}\u0000${point.name}`
    let found = series.get(key)
    if (!found) series.set(key, (found = { name: point.name, step: point.step, attempt: point.attempt, x: [], y: [] }))
    found.x.push(point.index)
    found.y.push(point.value)
  }
  const groups = new Map<string, ChartGroup>()
  for (const one of series.values()) {
    const title = baseName(one.name)
    const group = groups.get(title) ?? { title, series: [] }
    group.series.push(one)
    groups.set(title, group)
  }
  return [...groups.values()].sort((a, b) => rank(a.title) - rank(b.title) || a.title.localeCompare(b.title))
}

/** Losses first, then what people judge by, then the rest (learning rate, speed). */
function rank(title: string): number {
  if (title.includes('loss')) return 0
  if (/accuracy|auc|f1|r2|rmse|mae/.test(title)) return 1
  return 2
}

/** Seconds a step waited and ran, on the run's own clock; null for what has not begun. */
export type Bar = { step: StepRun; ready: number | null; start: number | null; end: number | null }

export function timeline(run: Run, now: number): { bars: Bar[]; total: number } {
  const zero = Date.parse(run.started_at ?? run.created_at)
  const at = (iso: string | null | undefined) => (iso ? Math.max(0, (Date.parse(iso) - zero) / 1000) : null)
  const bars = run.step_runs.map((step) => {
    const start = at(step.started_at)
    const end = at(step.finished_at) ?? (step.status === 'running' && start !== null ? Math.max(start, (now - zero) / 1000) : null)
    return { step, ready: at(step.ready_at), start, end }
  })
  const total = Math.max(0.001, ...bars.map((bar) => bar.end ?? bar.start ?? 0), ended(run.status) ? (at(run.finished_at) ?? 0) : 0)
  bars.sort((a, b) => (a.start ?? a.ready ?? Infinity) - (b.start ?? b.ready ?? Infinity))
  return { bars, total }
}
