/** The waveform with its ruler and segments on one canvas: a thousand segments cost no more than their pixels. */
import { clock } from '@/lib/format'

import { ticks, timeAt, xOf, type Axis } from '../time/axis'
import type { Sheet } from '../time/useCanvas'
import { PER_SECOND, type Peaks } from './peaks'
import type { Segment } from './segments'

export const RULER = 22
const LANE = 22
const MOST_LANES = 6

export interface Scene {
  readonly axis: Axis
  readonly duration: number
  readonly peaks: Peaks | null
  readonly segments: readonly Segment[]
  readonly selected: ReadonlySet<string>
  readonly time: number
  /** What is being marked. */
  readonly mark: { readonly start: number; readonly end: number } | null
}

/** Where the lanes of segments begin. */
export function lanesTop(height: number, segments: readonly Segment[]): number {
  const lanes = Math.min(MOST_LANES, segments.reduce((most, segment) => Math.max(most, segment.lane + 1), 1))
  return height - lanes * LANE - 4
}

/** The segment whose bar is at a place; a suggestion's too. */
export function segmentAt(segments: readonly Segment[], axis: Axis, x: number, y: number, height: number): Segment | null {
  const lane = Math.floor((y - lanesTop(height, segments)) / LANE)
  const time = timeAt(axis, x)
  const slack = 3 / axis.scale
  return segments.findLast((segment) => Math.min(segment.lane, MOST_LANES - 1) === lane && time >= segment.start - slack && time <= segment.end + slack) ?? null
}

export function paintWave({ context, width, height, ink }: Sheet, scene: Scene): void {
  const { axis, segments } = scene
  const bottom = lanesTop(height, segments)
  const middle = (RULER + bottom) / 2
  const room = Math.max(10, (bottom - RULER) / 2 - 4)
  context.fillStyle = ink.surface
  context.fillRect(0, 0, width, height)
  context.strokeStyle = ink.line
  context.lineWidth = 1
  const { times, digits } = ticks(axis)
  context.font = '11px system-ui, sans-serif'
  context.fillStyle = ink.faint
  context.beginPath()
  for (const time of times) {
    const x = Math.round(xOf(axis, time)) + 0.5
    context.moveTo(x, RULER - 6)
    context.lineTo(x, bottom)
    context.fillText(clock(time, digits), x + 3, 13)
  }
  context.stroke()

  for (const segment of segments) {
    const [from, to] = [xOf(axis, segment.start), xOf(axis, segment.end)]
    if (to < 0 || from > width) continue
    context.globalAlpha = scene.selected.has(segment.id) ? 0.3 : segment.ghost ? 0.06 : 0.13
    context.fillStyle = segment.color
    context.fillRect(from, RULER, Math.max(1, to - from), bottom - RULER)
  }
  context.globalAlpha = 1
  if (scene.peaks) curve(context, scene.peaks, axis, width, middle, room, ink.text)
  bars(context, scene, width, bottom, ink.surface, ink.text)

  if (scene.mark) {
    const [from, to] = [xOf(axis, scene.mark.start), xOf(axis, scene.mark.end)]
    context.fillStyle = ink.accent
    context.globalAlpha = 0.25
    context.fillRect(from, RULER, Math.max(1, to - from), bottom - RULER)
    context.globalAlpha = 1
    context.strokeStyle = ink.accent
    context.setLineDash([4, 3])
    context.strokeRect(from + 0.5, RULER + 0.5, Math.max(1, to - from), bottom - RULER - 1)
    context.setLineDash([])
  }
  const head = Math.round(xOf(axis, scene.time)) + 0.5
  context.strokeStyle = context.fillStyle = '#e03131'
  context.beginPath()
  context.moveTo(head, 0)
  context.lineTo(head, height)
  context.stroke()
  context.beginPath()
  context.moveTo(head - 6, 0)
  context.lineTo(head + 6, 0)
  context.lineTo(head, 8)
  context.fill()
}

function bars(context: CanvasRenderingContext2D, scene: Scene, width: number, bottom: number, surface: string, text: string): void {
  const { axis, segments, selected } = scene
  context.textBaseline = 'middle'
  for (const segment of segments) {
    const [from, to] = [xOf(axis, segment.start), xOf(axis, segment.end)]
    if (to < 0 || from > width) continue
    const top = bottom + 2 + Math.min(segment.lane, MOST_LANES - 1) * LANE
    const chosen = selected.has(segment.id)
    const wide = Math.max(3, to - from)
    context.fillStyle = surface
    context.fillRect(from, top, wide, LANE - 3)
    context.globalAlpha = chosen ? 0.55 : segment.dashed ? 0.12 : 0.3
    context.fillStyle = segment.color
    context.fillRect(from, top, wide, LANE - 3)
    context.globalAlpha = 1
    if (wide <= 4 && !chosen) continue
    context.strokeStyle = segment.color
    context.lineWidth = chosen ? 2.5 : 1.5
    context.setLineDash(segment.dashed ? [4, 3] : [])
    context.strokeRect(from + 0.5, top + 0.5, wide - 1, LANE - 4)
    context.setLineDash([])
    if (chosen) for (const x of [from, to]) context.fillRect(x - 1.5, RULER, 3, bottom - RULER)
    if (wide > 24) {
      context.save()
      context.beginPath()
      context.rect(Math.max(0, from + 3), top, wide - 6, LANE)
      context.clip()
      context.fillStyle = text
      context.fillText(segment.title, Math.max(from, 0) + 6, top + (LANE - 3) / 2 + 0.5)
      context.restore()
    }
  }
  context.textBaseline = 'alphabetic'
  context.lineWidth = 1
}

/** One line a pixel, from the lowest to the highest sample of its time. */
export function curve(context: CanvasRenderingContext2D, peaks: Peaks, axis: Axis, width: number, middle: number, room: number, color: string): void {
  context.fillStyle = color
  context.globalAlpha = 0.75
  const each = PER_SECOND / axis.scale
  for (let x = 0; x < width; x++) {
    const first = Math.floor((axis.from + x / axis.scale) * PER_SECOND)
    if (first >= peaks.done) break
    const last = Math.min(peaks.done, Math.max(first + 1, Math.floor(first + each)))
    let [low, high] = [0, 0]
    // Of a long sound seen whole a pixel is hundreds of bins: some dozens of them look the same.
    const step = Math.max(1, Math.floor((last - first) / 32))
    for (let bin = first; bin < last; bin += step) {
      if (peaks.low[bin]! < low) low = peaks.low[bin]!
      if (peaks.high[bin]! > high) high = peaks.high[bin]!
    }
    context.fillRect(x, middle - high * room, 1, Math.max(1, (high - low) * room))
  }
  context.globalAlpha = 1
}

/** The whole sound in little, with the part that is seen. */
export function paintOverview({ context, width, height, ink }: Sheet, scene: Scene): void {
  const axis: Axis = { from: 0, scale: width / Math.max(scene.duration, 0.001), width }
  if (scene.peaks) curve(context, scene.peaks, axis, width, height / 2, height / 2 - 3, ink.faint)
  for (const segment of scene.segments) {
    context.fillStyle = segment.color
    context.fillRect(xOf(axis, segment.start), height - 4, Math.max(1, (segment.end - segment.start) * axis.scale), 4)
  }
  const [from, wide] = [scene.axis.from * axis.scale, (scene.axis.width / scene.axis.scale) * axis.scale]
  context.strokeStyle = ink.accent
  context.lineWidth = 2
  context.strokeRect(from + 1, 1, Math.max(4, wide - 2), height - 2)
  context.fillStyle = '#e03131'
  context.fillRect(scene.time * axis.scale - 1, 0, 2, height)
}
