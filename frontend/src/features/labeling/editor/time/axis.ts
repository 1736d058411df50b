/** Seconds and pixels: which part of a sound or video is seen, and how it is moved and zoomed. */

export interface Axis {
  /** The second at the left edge. */
  readonly from: number
  /** Pixels a second. */
  readonly scale: number
  /** Pixels. */
  readonly width: number
}

export const CLOSEST = 4000

export function timeAt(axis: Axis, x: number): number {
  return axis.from + x / axis.scale
}

export function xOf(axis: Axis, time: number): number {
  return (time - axis.from) * axis.scale
}

export function fitted(width: number, duration: number): Axis {
  return { from: 0, scale: Math.max(width, 1) / Math.max(duration, 0.001), width }
}

/** Never further out than the whole, never past either end. */
export function kept(axis: Axis, duration: number): Axis {
  const least = axis.width / Math.max(duration, 0.001)
  const scale = Math.min(Math.max(axis.scale, least), Math.max(CLOSEST, least))
  return { ...axis, scale, from: Math.max(0, Math.min(axis.from, duration - axis.width / scale)) }
}

/** The second under `x` stays where it is. */
export function zoomed(axis: Axis, by: number, x: number, duration: number): Axis {
  const about = timeAt(axis, x)
  const near = kept({ ...axis, scale: axis.scale * by }, duration)
  return kept({ ...near, from: about - x / near.scale }, duration)
}

/** Moved so that a part is seen; unchanged where it is seen already. With `whole` as large as it fits. */
export function showing(axis: Axis, start: number, end: number, duration: number, whole = false): Axis {
  const room = axis.width / axis.scale
  if (whole) {
    const wide = Math.max(end - start, 0.05) * 1.4
    return kept({ ...axis, scale: axis.width / wide, from: (start + end - wide) / 2 }, duration)
  }
  if (start >= axis.from && end <= axis.from + room) return axis
  return kept({ ...axis, from: end - start > room ? start : start - room * 0.15 }, duration)
}

const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]

/** Where the ruler has lines; `digits` of its words. */
export function ticks(axis: Axis, apart = 84): { times: number[]; step: number; digits: number } {
  const step = STEPS.find((one) => one * axis.scale >= apart) ?? 7200
  const first = Math.ceil(axis.from / step)
  const last = Math.floor(timeAt(axis, axis.width) / step)
  const times = Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step)
  return { times, step, digits: step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3 }
}
