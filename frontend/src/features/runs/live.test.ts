import { describe, expect, it } from 'vitest'
import { append, applyEvent, counted, drawn, groupMetrics, rootOf, runsMany, shardOf, timeline, withEvents, type Shard, type Point, type Run, type StepRun } from './live'

const step = (over: Partial<StepRun> = {}): StepRun =>
  ({ id: 's1', step: 'train', status: 'running', attempt: 1, progress: 0.2, message: '', outputs: [], ...over }) as StepRun
const run = (over: Partial<Run> = {}): Run =>
  ({ id: 'r', status: 'running', steps_done: 0, progress: 0, last_event: 10, step_runs: [step()], created_at: '2026-01-01T00:00:00Z', started_at: '2026-01-01T00:00:00Z', ...over }) as Run
const point = (id: number, over: Partial<Point> = {}): Point => ({ id, step: 'train', attempt: 1, name: 'loss', index: id, value: 1 / id, at: '', ...over })

describe('events on a run that is shown', () => {
  it('moves a step on and says when times and outputs must be asked for', () => {
    const { run: next, stale } = applyEvent(run(), { type: 'step_run_changed', seq: 11, run: 'r', step_run: 's1', step: 'train', status: 'succeeded', attempt: 1, progress: 1, message: '' })
    expect(next.step_runs[0]?.status).toBe('succeeded')
    expect(stale).toBe(true)
  })
  it('ignores a word from an attempt that was given up', () => {
    const shown = run({ step_runs: [step({ attempt: 2 })] })
    const { run: next } = applyEvent(shown, { type: 'step_run_changed', seq: 12, run: 'r', step_run: 's1', step: 'train', status: 'succeeded', attempt: 1, progress: 1, message: '' })
    expect(next).toBe(shown)
  })
  it('ignores an old run status that arrives late', () => {
    const shown = run({ status: 'succeeded', last_event: 20 })
    expect(applyEvent(shown, { type: 'run_changed', seq: 15, run: 'r', status: 'running', steps_done: 0, progress: 0 }).run.status).toBe('succeeded')
  })
})

describe('appending', () => {
  it('takes what is new once, though it came over the socket and over HTTP', () => {
    const known = append([], [point(1), point(2)])
    expect(append(known, [point(2), point(3)]).map((p) => p.id)).toEqual([1, 2, 3])
    expect(append(known, [point(1)])).toBe(known)
  })
  it('puts late ones in their place', () => {
    expect(append([point(1), point(4)], [point(2), point(5)]).map((p) => p.id)).toEqual([1, 2, 4, 5])
  })
})

describe('charts', () => {
  it('draws training and validation together and only the newest attempt', () => {
    const groups = groupMetrics([point(1), point(2, { attempt: 2 }), point(3, { attempt: 2, name: 'val_loss' }), point(4, { attempt: 2, name: 'accuracy' })])
    expect(groups.map((g) => [g.title, g.series.length])).toEqual([['loss', 2], ['accuracy', 1]])
    expect(groups[0]?.series[0]?.x).toEqual([2])
  })
})

it('a running step reaches to now on the timeline', () => {
  const shown = run({ step_runs: [step({ started_at: '2026-01-01T00:00:02Z', finished_at: null })] })
  const { bars, total } = timeline(shown, Date.parse('2026-01-01T00:00:10Z'))
  expect(bars[0]).toMatchObject({ start: 2, end: 10 })
  expect(total).toBe(10)
})

describe('steps that make others', () => {
  const shard = (number: number, over: Partial<Shard> = {}): Shard => ({ shard: number, step: `train[${number}]`, status: 'queued', skip_reason: '', attempt: 1, seconds: null, error: '', ...over })
  it('are counted from what they say', () => {
    expect(counted('7 of 40, 1 failed')).toEqual({ total: 40, open: 33, failed: 1 })
    expect(counted('Epoch 7 of 40')).toBeNull()
    const { run: next } = applyEvent(run(), { type: 'step_run_changed', seq: 11, run: 'r', step_run: 's1', step: 'train', status: 'running', attempt: 1, progress: 0.5, message: '2 of 4' })
    expect(next.step_runs[0]?.shards).toEqual({ total: 4, open: 2, failed: 0 })
  })
  it('move on shard by shard, and never back from an end', () => {
    const shards = [shard(0), shard(1, { status: 'succeeded' }), shard(2)]
    const events = new Map([['train[0]', { status: 'running' as const, attempt: 1 }], ['train[1]', { status: 'running' as const, attempt: 1 }], ['trainer[2]', { status: 'failed' as const, attempt: 1 }]])
    expect(withEvents(shards, 'train', events).map((one) => one.status)).toEqual(['running', 'succeeded', 'queued'])
    expect(withEvents(shards, 'other', events)).toBe(shards)
  })
  it('are told apart from pipelines, which make steps that are inside them', () => {
    const shards = { total: 3, open: 0, failed: 0 }
    const whole = run({ graph: { parameters: {}, steps: { mapped: { component: 'pipeline:in@1', map: { port: 'x' } } as never } } })
    const many = (key: string, component: string) => runsMany(whole, step({ step: key, component, shards }))
    expect([many('plain', 'pipeline:in@1'), many('mapped', 'pipeline:in@1'), many('sub.inner', 'clean'), runsMany(whole, step({ shards: null }))]).toEqual([false, true, true, false])
  })
  it('have paths that are read', () => {
    expect([shardOf('train', 'train[12]'), shardOf('train', 'train[1].x'), rootOf('prepare[3].clean'), rootOf('a~undo')]).toEqual([12, null, 'prepare', 'a'])
    const whole = run({ step_runs: [step({ parent: null, undoes: null, shard: null }), step({ id: 's2', step: 'train.in', parent: 's1', undoes: null, shard: null }), step({ id: 's3', step: 'train~undo', parent: null, undoes: 's1', shard: null })] })
    expect([drawn(whole, null).map((s) => s.step), drawn(whole, 'train').map((s) => s.step)]).toEqual([['train'], ['train.in']])
  })
})
