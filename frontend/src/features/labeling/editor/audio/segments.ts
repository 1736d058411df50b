/** Segments of a sound as they are drawn and found again: pure, in seconds. */
import type { LabelConfig } from '../config'
import { drawnRegions, titleOf, type Drawn, type Result } from '../result'
import { lanes } from '../spans'

export interface Segment {
  readonly id: string
  readonly start: number
  readonly end: number
  readonly color: string
  readonly title: string
  /** A suggestion that nobody took over. */
  readonly dashed: boolean
  readonly ghost: boolean
  readonly lane: number
}

export const EDGE = 7
export const NUDGE = 0.05
export const SHORTEST = 0.02

export function segmentsOf(config: LabelConfig, regions: readonly Drawn[], suggestions: Result, object: string, hidden: ReadonlySet<string>, accepted: ReadonlySet<string>): Segment[] {
  const one = (ghost: boolean) => (region: Drawn) =>
    region.kind !== 'segment' || region.to !== object || hidden.has(region.id)
      ? []
      : [{ id: region.id, start: Number(region.main.value.start), end: Number(region.main.value.end), color: region.color, title: titleOf(region), dashed: ghost || (region.main.origin === 'prediction' && !accepted.has(region.id)), ghost }]
  const found = [...regions.flatMap(one(false)), ...drawnRegions(config, suggestions).flatMap(one(true))]
  const inLane = lanes(found)
  return found.map((segment) => ({ ...segment, lane: inLane.get(segment.id) ?? 0 }))
}

/** Which end of a segment is near a second; null for neither. `near` in seconds. */
export function edgeNear(segment: { start: number; end: number }, time: number, near: number): 'start' | 'end' | null {
  const [toStart, toEnd] = [Math.abs(time - segment.start), Math.abs(time - segment.end)]
  if (Math.min(toStart, toEnd) > near) return null
  return toEnd <= toStart ? 'end' : 'start'
}

/** With one end at another second, never shorter than SHORTEST and never outside the sound. */
export function withEdge(segment: { start: number; end: number }, edge: 'start' | 'end', time: number, duration: number): { start: number; end: number } {
  const at = Math.max(0, Math.min(time, duration))
  if (edge === 'end') return { start: segment.start, end: Math.max(at, Math.min(segment.start + SHORTEST, duration)) }
  return { start: Math.min(at, Math.max(segment.end - SHORTEST, 0)), end: segment.end }
}

export function moved(segment: { start: number; end: number }, by: number, duration: number): { start: number; end: number } {
  const length = segment.end - segment.start
  const start = Math.max(0, Math.min(segment.start + by, duration - length))
  return { start, end: start + length }
}

/** The edge of any segment after or before a second. */
export function nextEdge(segments: readonly { start: number; end: number }[], time: number, by: 1 | -1): number | null {
  const edges = segments.flatMap(({ start, end }) => [start, end]).filter((edge) => (by === 1 ? edge > time + 0.005 : edge < time - 0.005))
  return edges.length === 0 ? null : by === 1 ? Math.min(...edges) : Math.max(...edges)
}
