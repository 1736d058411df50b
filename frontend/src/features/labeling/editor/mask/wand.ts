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

/** Where colours lie in the image: the place of their first pixel, and how many pixels of the image one of them is. */
export interface Lying {
  readonly x: number
  readonly y: number
  readonly across: number
  readonly down: number
}

/** Joins what was filled, perhaps on a smaller image or on a part of it, into bits of the full one, or takes it out of them; gives what may have changed. */
export function laidInto(bits: Uint8Array, size: Size, filled: Filled, small: Size, value: 0 | 1, lying: Lying = { x: 0, y: 0, across: size.width / small.width, down: size.height / small.height }): Rect {
  const { part } = filled
  const { across, down } = lying
  const box = { x: Math.floor(lying.x + part.x * across), y: Math.floor(lying.y + part.y * down), width: Math.ceil(part.width * across) + 1, height: Math.ceil(part.height * down) + 1 }
  const right = Math.min(size.width, box.x + box.width)
  for (let y = box.y; y < Math.min(size.height, box.y + box.height); y++) {
    const from = Math.min(small.height - 1, Math.floor((y - lying.y) / down)) * small.width
    for (let x = box.x; x < right; x++) if (filled.bits[from + Math.min(small.width - 1, Math.floor((x - lying.x) / across))]) bits[y * size.width + x] = value
  }
  return box
}

/** Reads the colours of a part of an image at 1/2ⁿ of its size; null when they do not come. */
export type Reading = (level: number, part: Rect) => Promise<Colours | null>

export interface Reached {
  readonly filled: Filled
  readonly colours: Size
  readonly lying: Lying
}

/**
 * Fills an image of which only parts can be read: first where the preview says (`guess`, in pixels of the image), and where the fill runs
 * into the edge of that, in more of it. At the image's own pixels if at most `most` of them are read, else at a half, a quarter …
 */
export async function reached(size: Size, seed: Point, tolerance: number, guess: Rect, most: number, read: Reading, stopped: () => boolean): Promise<Reached | null> {
  let part = within(size, guess, Math.max(64, Math.max(guess.width, guess.height) / 16))
  for (;;) {
    const level = Math.max(0, Math.ceil(Math.log2((part.width * part.height) / most) / 2))
    const by = 2 ** level
    const [left, top] = [Math.floor(part.x / by), Math.floor(part.y / by)]
    const colours = await read(level, { x: left, y: top, width: Math.ceil((part.x + part.width) / by) - left, height: Math.ceil((part.y + part.height) / by) - top })
    if (!colours || stopped()) return null
    const filled = await floodedInPieces(colours, { x: seed.x / by - left, y: seed.y / by - top }, tolerance, stopped)
    if (!filled) return null
    const open = {
      left: filled.part.x === 0 && left > 0,
      top: filled.part.y === 0 && top > 0,
      right: filled.part.x + filled.part.width === colours.width && (left + colours.width) * by < size.width,
      bottom: filled.part.y + filled.part.height === colours.height && (top + colours.height) * by < size.height,
    }
    if (!open.left && !open.top && !open.right && !open.bottom) return { filled, colours, lying: { x: left * by, y: top * by, across: by, down: by } }
    const [across, down] = [part.width, part.height]
    const [x, y] = [part.x - (open.left ? across : 0), part.y - (open.top ? down : 0)]
    part = within(size, { x, y, width: part.x + across + (open.right ? across : 0) - x, height: part.y + down + (open.bottom ? down : 0) - y }, 0)
  }
}

function within(size: Size, part: Rect, margin: number): Rect {
  const [x, y] = [Math.max(0, Math.floor(part.x - margin)), Math.max(0, Math.floor(part.y - margin))]
  return { x, y, width: Math.min(size.width, Math.ceil(part.x + part.width + margin)) - x, height: Math.min(size.height, Math.ceil(part.y + part.height + margin)) - y }
}
