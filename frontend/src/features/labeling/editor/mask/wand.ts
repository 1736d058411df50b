/** The magic wand: the connected pixels whose colour is like that of the one pressed. Nothing here blocks: a large fill is done in pieces. */
import type { Point, Rect, Size } from '../geometry'
import { joined } from './stroke'

/** An image's colours, row by row: RGBA, four bytes a pixel. */
export interface Colours extends Size {
  row(y: number): Uint8ClampedArray
}

export interface Filled {
  /** A byte a pixel. */
  readonly bits: Uint8Array
  /** The box around the ones. */
  readonly part: Rect
}

/** Runs between two pauses. */
const PIECE = 4000

/** Pixels that hang together (by their sides) and differ from the first by at most `tolerance` (0 to 255) in every channel. */
export function* flood(colours: Colours, seed: Point, tolerance: number): Generator<void, Filled> {
  const { width, height } = colours
  const bits = new Uint8Array(width * height)
  const [sx, sy] = [Math.min(width - 1, Math.max(0, Math.floor(seed.x))), Math.min(height - 1, Math.max(0, Math.floor(seed.y)))]
  const [r, g, b, a] = colours.row(sy).subarray(4 * sx, 4 * sx + 4) as unknown as [number, number, number, number]
  const like = (row: Uint8ClampedArray, x: number): boolean => {
    const at = 4 * x
    return Math.abs(row[at]! - r) <= tolerance && Math.abs(row[at + 1]! - g) <= tolerance && Math.abs(row[at + 2]! - b) <= tolerance && Math.abs(row[at + 3]! - a) <= tolerance
  }
  const stack = [sx, sy]
  let part: Rect = { x: 0, y: 0, width: 0, height: 0 }
  let done = 0
  while (stack.length > 0) {
    const y = stack.pop()!
    const x = stack.pop()!
    const line = y * width
    if (bits[line + x]) continue
    const row = colours.row(y)
    let [from, to] = [x, x + 1]
    while (from > 0 && !bits[line + from - 1] && like(row, from - 1)) from--
    while (to < width && !bits[line + to] && like(row, to)) to++
    bits.fill(1, line + from, line + to)
    part = joined(part, { x: from, y, width: to - from, height: 1 })
    for (const next of [y - 1, y + 1]) {
      if (next < 0 || next >= height) continue
      const beside = colours.row(next)
      const start = next * width
      for (let at = from; at < to; at++) {
        if (bits[start + at] || !like(beside, at)) continue
        stack.push(at, next)
        while (at < to && !bits[start + at] && like(beside, at)) at++
      }
    }
    if (++done % PIECE === 0) yield
  }
  return { bits, part }
}

/** All at once: of small images. */
export function flooded(colours: Colours, seed: Point, tolerance: number): Filled {
  const steps = flood(colours, seed, tolerance)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** In pieces, the page staying alive between them; null when `stopped` says so. */
export async function floodedInPieces(colours: Colours, seed: Point, tolerance: number, stopped: () => boolean): Promise<Filled | null> {
  const steps = flood(colours, seed, tolerance)
  for (;;) {
    const until = performance.now() + 12
    while (performance.now() < until) {
      const step = steps.next()
      if (step.done) return step.value
    }
    await new Promise((go) => setTimeout(go))
    if (stopped()) return null
  }
}

/** Rows of a large image that are read at once; a small one is read whole. */
const ROWS = 64
const SMALL = 1_000_000

/** An image's colours at a fraction of its size, read in bands when they are first asked for. */
export function coloursOf(image: HTMLImageElement, shrink: number): Colours {
  const width = Math.max(1, Math.floor(image.naturalWidth / shrink))
  const height = Math.max(1, Math.floor(image.naturalHeight / shrink))
  const high = width * height <= SMALL ? height : ROWS
  const bands: (Uint8ClampedArray | undefined)[] = []
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = high
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const read = (n: number): Uint8ClampedArray => {
    if (!context) return new Uint8ClampedArray(4 * width * high)
    context.clearRect(0, 0, width, high)
    context.drawImage(image, 0, -n * high, width, height)
    return context.getImageData(0, 0, width, high).data
  }
  return {
    width,
    height,
    row: (y) => {
      const n = Math.floor(y / high)
      const data = (bands[n] ??= read(n))
      const at = (y - n * high) * width * 4
      return data.subarray(at, at + width * 4)
    },
  }
}

/** By how much an image is shrunk so that it has at most so many pixels. */
export function shrinkTo(size: Size, pixels: number): number {
  return Math.max(1, Math.ceil(Math.sqrt((size.width * size.height) / pixels)))
}

/** Joins what was filled, perhaps on a smaller image, into bits of the full one, or takes it out of them; gives what may have changed. */
export function laidInto(bits: Uint8Array, size: Size, filled: Filled, small: Size, value: 0 | 1): Rect {
  if (small.width === size.width && small.height === size.height) {
    for (let at = filled.part.y * size.width; at < (filled.part.y + filled.part.height) * size.width; at++) if (filled.bits[at]) bits[at] = value
    return filled.part
  }
  const across = size.width / small.width
  const down = size.height / small.height
  const { part } = filled
  const box = { x: Math.floor(part.x * across), y: Math.floor(part.y * down), width: Math.ceil(part.width * across) + 1, height: Math.ceil(part.height * down) + 1 }
  const right = Math.min(size.width, box.x + box.width)
  for (let y = box.y; y < Math.min(size.height, box.y + box.height); y++) {
    const from = Math.min(small.height - 1, Math.floor(y / down)) * small.width
    for (let x = box.x; x < right; x++) if (filled.bits[from + Math.min(small.width - 1, Math.floor(x / across))]) bits[y * size.width + x] = value
  }
  return box
}
