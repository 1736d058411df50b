/**
 * A brush mask: which pixels of an image belong to a region, as runs in reading order. Comparing, moving and packing costs what
 * its outline is long, however large the image. Packed as Label Studio does (`label_studio_sdk.converter.brush`, byte for byte).
 */
import type { Point, Rect, Size } from '../geometry'

export interface Mask extends Size {
  /** Where marked pixels begin and end, in turn; ascending, an even number. */
  readonly edges: Uint32Array
  /** The upright box around its pixels. */
  readonly bounds: Rect
  /** Pixels. */
  readonly area: number
}

const OPAQUE = 128
const LENGTHS = [3, 4, 8, 16] as const

export function maskOf(size: Size, edges: ArrayLike<number>): Mask {
  const { width, height } = size
  let [left, right, area] = [width, 0, 0]
  for (let at = 0; at < edges.length; at += 2) {
    const [begin, end] = [edges[at]!, edges[at + 1]!]
    area += end - begin
    const whole = Math.floor(begin / width) !== Math.floor((end - 1) / width)
    left = whole ? 0 : Math.min(left, begin % width)
    right = whole ? width : Math.max(right, ((end - 1) % width) + 1)
  }
  const top = edges.length > 0 ? Math.floor(edges[0]! / width) : 0
  const bottom = edges.length > 0 ? Math.floor((edges[edges.length - 1]! - 1) / width) + 1 : 0
  const bounds = area > 0 ? { x: left, y: top, width: right - left, height: bottom - top } : { x: 0, y: 0, width: 0, height: 0 }
  return { width, height, edges: Uint32Array.from(edges), bounds, area }
}

/** Null where the bytes are not a mask of an image of this size. */
export function unpacked(rle: readonly number[], size: Size): Mask | null {
  /** At most 24 bits from bit `at` on. */
  const bits = (at: number, count: number): number => {
    const byte = at >> 3
    return ((((rle[byte]! << 24) | (rle[byte + 1]! << 16) | (rle[byte + 2]! << 8) | rle[byte + 3]!) << (at & 7)) >>> (32 - count)) >>> 0
  }
  const count = bits(0, 16) * 65536 + bits(16, 16)
  if (count !== 4 * size.width * size.height || bits(32, 5) !== 7) return null
  const lengths = [0, 1, 2, 3].map((which) => bits(37 + 4 * which, 4) + 1)
  const edges: number[] = []
  const end = rle.length * 8
  let [on, place, at] = [false, 53, 0]
  const turn = (now: boolean, pixel: number) => {
    if (now === on) return
    edges.push(pixel)
    on = now
  }
  while (at < count) {
    if (place >= end) return null
    const run = bits(place, 1) === 1
    const wide = lengths[bits(place + 1, 2)]!
    const length = bits(place + 3, wide) + 1
    place += 3 + wide
    // Of every pixel's four values the last is its opacity.
    if (run) {
      const next = at + length
      if (Math.floor(next / 4) > Math.floor(at / 4)) turn(bits(place, 8) >= OPAQUE, Math.floor(at / 4))
      place += 8
    } else {
      for (let n = 0; n < length; n++) if ((at + n) % 4 === 3) turn(bits(place + 8 * n, 8) >= OPAQUE, Math.floor((at + n) / 4))
      place += 8 * length
    }
    at += length
  }
  if (at !== count || place > end) return null
  if (on) edges.push(count / 4)
  return maskOf(size, edges)
}

export function packed(mask: Mask): number[] {
  const bytes: number[] = []
  let [held, filled] = [0, 0]
  const push = (value: number, width: number) => {
    held = (held << width) | value
    filled += width
    while (filled >= 8) {
      filled -= 8
      bytes.push((held >> filled) & 255)
    }
    held &= 255
  }
  const all = mask.width * mask.height
  push(Math.floor((4 * all) / 65536), 16)
  push((4 * all) % 65536, 16)
  push(7, 5)
  for (const length of LENGTHS) push(length - 1, 4)
  let begin = 0
  for (let at = 0; at <= mask.edges.length; at++) {
    const end = at < mask.edges.length ? mask.edges[at]! : all
    let length = 4 * (end - begin)
    begin = end
    if (length === 0) continue
    const value = at % 2 === 1 ? 255 : 0
    const which = Math.max(0, [8, 16, 256, Infinity].findIndex((most) => length <= most))
    for (; length > 65536; length -= 65536) {
      push(7, 3)
      push(65535, 16)
      push(value, 8)
    }
    push(4 + which, 3)
    push(length - 1, LENGTHS[which]!)
    push(value, 8)
  }
  // A full last byte is followed by an empty one, as there.
  push(0, 8 - filled)
  return bytes
}

/** Sets the bytes of the mask’s pixels to one. */
export function layBits(bits: Uint8Array, mask: Mask): void {
  for (let at = 0; at < mask.edges.length; at += 2) bits.fill(1, mask.edges[at], mask.edges[at + 1])
}

/** The mask of bytes of which only those of `part` may be ones. */
export function ofBits(bits: Uint8Array, size: Size, part: Rect): Mask {
  const edges: number[] = []
  const last = Math.min(bits.length, Math.ceil(part.y + part.height) * size.width)
  let at = Math.max(0, Math.floor(part.y)) * size.width
  while (at < last) {
    const begin = bits.indexOf(1, at)
    if (begin < 0 || begin >= last) break
    const end = bits.indexOf(0, begin)
    edges.push(begin, end < 0 ? bits.length : end)
    at = end < 0 ? last : end
  }
  return maskOf(size, edges)
}

/** How many edges lie at or before a pixel: odd inside. */
export function edgesBefore(edges: Uint32Array, pixel: number): number {
  let [low, high] = [0, edges.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle]! <= pixel) low = middle + 1
    else high = middle
  }
  return low
}

export function holds(mask: Mask, point: Point): boolean {
  const [x, y] = [Math.floor(point.x), Math.floor(point.y)]
  if (x < 0 || y < 0 || x >= mask.width || y >= mask.height) return false
  return edgesBefore(mask.edges, y * mask.width + x) % 2 === 1
}

/** Its runs, cut at the ends of rows. */
export function eachRun(mask: Mask, see: (y: number, from: number, to: number) => void): void {
  const { width, edges } = mask
  for (let at = 0; at < edges.length; at += 2) {
    let begin = edges[at]!
    const end = edges[at + 1]!
    while (begin < end) {
      const y = Math.floor(begin / width)
      const to = Math.min(end, (y + 1) * width)
      see(y, begin - y * width, to - y * width)
      begin = to
    }
  }
}

/** By whole pixels; what leaves the image is cut off. */
export function movedMask(mask: Mask, dx: number, dy: number): Mask {
  const [right, down] = [Math.round(dx), Math.round(dy)]
  if (right === 0 && down === 0) return mask
  const edges: number[] = []
  eachRun(mask, (y, from, to) => {
    const [row, begin, end] = [y + down, Math.max(0, from + right), Math.min(mask.width, to + right)]
    if (row < 0 || row >= mask.height || begin >= end) return
    const first = row * mask.width + begin
    if (edges.at(-1) === first) edges.pop()
    else edges.push(first)
    edges.push(row * mask.width + end)
  })
  return maskOf(mask, edges)
}

const masks = new WeakMap<readonly number[], Mask>()
const packs = new WeakMap<Mask, number[]>()

/** The mask of a region's `rle`, read once; an empty one where it cannot be read. */
export function maskFrom(rle: unknown, size: Size): Mask {
  if (!Array.isArray(rle)) return maskOf(size, [])
  const known = masks.get(rle as number[])
  if (known && known.width === size.width && known.height === size.height) return known
  const mask = unpacked(rle as number[], size) ?? maskOf(size, [])
  masks.set(rle as number[], mask)
  return mask
}

/** A mask's `rle`, packed once. */
export function rleOf(mask: Mask): readonly number[] {
  let rle = packs.get(mask)
  if (!rle) {
    rle = packed(mask)
    packs.set(mask, rle)
    masks.set(rle, mask)
  }
  return rle
}
