/**
 * A track of boxes: Label Studio's key frames, ascending, counted from 1. Between two of them all is interpolated linearly;
 * one that is not `enabled` is the last frame on which the box is seen until the next.
 */
import type { Drawn } from '../result'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly rotation: number
}

export interface Key extends Box {
  readonly frame: number
  readonly enabled: boolean
  readonly time?: number
}

export type Sequence = readonly Key[]

export function sequenceOf(region: Drawn): Sequence {
  return Array.isArray(region.main.value.sequence) ? (region.main.value.sequence as Key[]) : []
}

/** The place of the last key frame at or before a frame; -1 before the first. */
export function keyBefore(sequence: Sequence, frame: number): number {
  let [low, high] = [-1, sequence.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (sequence[middle]!.frame <= frame) low = middle
    else high = middle - 1
  }
  return low
}

export function boxAt(sequence: Sequence, frame: number): Box | null {
  const at = keyBefore(sequence, frame)
  const here = sequence[at]
  if (!here || (here.frame !== frame && !here.enabled)) return null
  const next = sequence[at + 1]
  if (here.frame === frame || !next) return here
  const share = (frame - here.frame) / (next.frame - here.frame)
  const mix = (part: keyof Box) => (here[part] ?? 0) + ((next[part] ?? 0) - (here[part] ?? 0)) * share
  return { x: mix('x'), y: mix('y'), width: mix('width'), height: mix('height'), rotation: mix('rotation') }
}

function keyOf(box: Box, frame: number, enabled: boolean, fps: number): Key {
  const { x, y, width, height, rotation } = box
  return { frame, enabled, rotation: rotation ?? 0, x, y, width, height, time: frame / fps }
}

/** With the box at a frame: the key frame there is changed, or a new one made. After the box's end it is seen again from here on. */
export function withKey(sequence: Sequence, frame: number, box: Box, fps: number): Sequence {
  const at = keyBefore(sequence, frame)
  const here = sequence[at]
  const enabled = here?.frame === frame ? here.enabled : true
  const key = keyOf(box, frame, enabled, fps)
  return here?.frame === frame ? sequence.map((one, index) => (index === at ? key : one)) : [...sequence.slice(0, at + 1), key, ...sequence.slice(at + 1)]
}

/** Without the key frame at a frame; the last one of a track stays. */
export function withoutKey(sequence: Sequence, frame: number): Sequence {
  return sequence.length > 1 && sequence.some((key) => key.frame === frame) ? sequence.filter((key) => key.frame !== frame) : sequence
}

export function hasKey(sequence: Sequence, frame: number): boolean {
  return sequence[keyBefore(sequence, frame)]?.frame === frame
}

/** The box is last seen at this frame, until the next key frame; on a frame that is its end already, it goes on. */
export function ended(sequence: Sequence, frame: number, fps: number): Sequence {
  const box = boxAt(sequence, frame)
  if (!box) return sequence
  const at = keyBefore(sequence, frame)
  const here = sequence[at]
  const enabled = here?.frame === frame ? !here.enabled : false
  const key = keyOf(box, frame, enabled, fps)
  return here?.frame === frame ? sequence.map((one, index) => (index === at ? key : one)) : [...sequence.slice(0, at + 1), key, ...sequence.slice(at + 1)]
}

/** The box is first seen at this frame: what was before is cut off, or the gap up to here is; a track that begins later begins here. */
export function begun(sequence: Sequence, frame: number, fps: number): Sequence {
  const at = keyBefore(sequence, frame)
  const box = boxAt(sequence, frame)
  if (box) return [keyOf(box, frame, sequence[at]!.frame === frame ? sequence[at]!.enabled : true, fps), ...sequence.slice(at + 1)]
  const like = sequence[at] ?? sequence[0]
  return like ? withKey(sequence, frame, like, fps) : sequence
}

export function lastFrame(sequence: Sequence, count: number): number {
  const last = sequence.at(-1)
  return last ? (last.enabled ? Math.max(count, last.frame) : last.frame) : 0
}

/** First and last frame of each stretch on which the box is seen. */
export function lifespans(sequence: Sequence, count: number): [number, number][] {
  const found: [number, number][] = []
  let begin: number | null = null
  for (const key of sequence) {
    begin ??= key.frame
    if (!key.enabled) {
      found.push([begin, key.frame])
      begin = null
    }
  }
  if (begin !== null) found.push([begin, Math.max(count, begin)])
  return found
}

/** Two tracks out of one: up to the frame before, and from the frame on; null where one would be empty. */
export function split(sequence: Sequence, frame: number, fps: number): [Sequence, Sequence] | null {
  const box = boxAt(sequence, frame)
  const first = sequence.filter((key) => key.frame < frame)
  if (!box || first.length === 0) return null
  const before = boxAt(sequence, frame - 1)
  const at = keyBefore(sequence, frame)
  const enabled = sequence[at]!.frame === frame ? sequence[at]!.enabled : true
  const second = [keyOf(box, frame, enabled, fps), ...sequence.filter((key) => key.frame > frame)]
  if (!before) return [first, second]
  const end = keyOf(before, frame - 1, false, fps)
  return [[...first.filter((key) => key.frame < frame - 1), end], second]
}

/** One track out of two of which one ends before the other begins; null where they overlap. */
export function merged(a: Sequence, b: Sequence): Sequence | null {
  const [first, second] = (a[0]?.frame ?? 0) <= (b[0]?.frame ?? 0) ? [a, b] : [b, a]
  const end = first.at(-1)
  if (!end || !second[0] || end.frame >= second[0].frame) return null
  return [...first, ...second]
}

/** The key frame before or after a frame, of one track or of several. */
export function neighbour(sequences: readonly Sequence[], frame: number, by: 1 | -1): number | null {
  let found: number | null = null
  for (const sequence of sequences)
    for (const key of sequence) {
      const fits = by === 1 ? key.frame > frame && (found === null || key.frame < found) : key.frame < frame && (found === null || key.frame > found)
      if (fits) found = key.frame
    }
  return found
}

/** A frame's time is its middle, so that a player that rounds shows this one. */
export function timeOf(frame: number, fps: number): number {
  return (frame - 0.5) / fps
}

export function frameAt(time: number, fps: number): number {
  return Math.max(1, Math.floor(time * fps + 1e-4) + 1)
}

/** Pushed inside the frame, never without area. */
export function inside(box: Box): Box {
  const width = Math.min(Math.max(box.width, 0.5), 100)
  const height = Math.min(Math.max(box.height, 0.5), 100)
  return { ...box, width, height, x: Math.max(0, Math.min(box.x, 100 - width)), y: Math.max(0, Math.min(box.y, 100 - height)) }
}
