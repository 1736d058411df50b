import { describe, expect, it } from 'vitest'
import { append, applyEvent, groupMetrics, timeline, type Point, type Run, type StepRun } from './live'

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
