/**
 * Masks on the screen. They are sampled from their runs (or from the bits of a stroke) at the pixels of the screen: exact at
 * every zoom, no bitmap of the image's size is kept, and only the part that changed need be drawn again.
 */
import type { Rect, Size } from '../geometry'
import { edgesBefore, type Mask } from './mask'

/** How the image lies on a canvas, in the canvas' own pixels: x × scale + (left, top). */
export interface Lie {
  readonly scale: number
  readonly left: number
  readonly top: number
}

export interface Tint {
  /** `#rrggbb` */
  readonly color: string
  /** 0 to 1 */
  readonly alpha: number
  /** A line along the edge, `#rrggbb`. */
  readonly edge?: string
}

/** Pixels of a canvas that a part of the image covers, within the canvas. */
function covered(part: Rect, lie: Lie, canvas: Size): Rect {
  const x = Math.max(0, Math.floor(part.x * lie.scale + lie.left) - 1)
  const y = Math.max(0, Math.floor(part.y * lie.scale + lie.top) - 1)
  const right = Math.min(canvas.width, Math.ceil((part.x + part.width) * lie.scale + lie.left) + 1)
  const bottom = Math.min(canvas.height, Math.ceil((part.y + part.height) * lie.scale + lie.top) + 1)
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) }
}

/** Little-endian, as every browser's machine is: red is the lowest byte. */
function pixel(color: string, alpha: number): number {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16)) as [number, number, number]
  return ((Math.round(Math.min(1, Math.max(0, alpha)) * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0
}

function over(under: number, top: number): number {
  const [ta, ua] = [top >>> 24, under >>> 24]
  if (ua === 0 || ta === 255) return top
  const kept = (ua * (255 - ta)) / 255
  const alpha = ta + kept
  const mix = (shift: number) => Math.round((((top >>> shift) & 255) * ta + ((under >>> shift) & 255) * kept) / alpha)
  return ((Math.round(alpha) << 24) | (mix(16) << 16) | (mix(8) << 8) | mix(0)) >>> 0
}

/** Says, row by row of the screen, from where to where the mask is. */
function spans(mask: Mask, lie: Lie, part: Rect, see: (row: number, from: number, to: number) => void): void {
  const { width, height, edges } = mask
  for (let row = 0; row < part.height; row++) {
    const y = Math.floor((part.y + row + 0.5 - lie.top) / lie.scale)
    if (y < 0 || y >= height) continue
    const end = (y + 1) * width
    for (let at = edgesBefore(edges, y * width) & ~1; at < edges.length && edges[at]! < end; at += 2) {
      const begin = Math.max(0, edges[at]! - y * width)
      const stop = Math.min(width, edges[at + 1]! - y * width)
      // A pixel of the screen is inside when its middle is.
      const from = Math.max(0, Math.ceil(begin * lie.scale + lie.left - 0.5) - part.x)
      const to = Math.min(part.width, Math.ceil(stop * lie.scale + lie.left - 0.5) - part.x)
      if (from < to) see(row, from, to)
    }
  }
}

let scratch: HTMLCanvasElement | null = null

/** Draws pixels over a canvas, unlike `putImageData`, which would replace what is there. */
function lay(context: CanvasRenderingContext2D, data: ImageData, part: Rect): void {
  scratch ??= document.createElement('canvas')
  if (scratch.width < part.width || scratch.height < part.height) {
    scratch.width = Math.max(scratch.width, part.width)
    scratch.height = Math.max(scratch.height, part.height)
  }
  const sheet = scratch.getContext('2d')
  if (!sheet) return
  sheet.putImageData(data, 0, 0)
  context.save()
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.drawImage(scratch, 0, 0, part.width, part.height, part.x, part.y, part.width, part.height)
  context.restore()
}

/** Draws masks over each other, as the context is moved and scaled. */
export function paintMasks(context: CanvasRenderingContext2D, masks: readonly { readonly mask: Mask; readonly tint: Tint }[]): void {
  const { a: scale, e: left, f: top } = context.getTransform()
  const lie = { scale, left, top }
  const seen = masks.map((one) => covered(one.mask.bounds, lie, context.canvas)).filter((part) => part.width > 0 && part.height > 0)
  if (seen.length === 0) return
  const [x, y] = [Math.min(...seen.map((part) => part.x)), Math.min(...seen.map((part) => part.y))]
  const part = { x, y, width: Math.max(...seen.map((one) => one.x + one.width)) - x, height: Math.max(...seen.map((one) => one.y + one.height)) - y }
  const data = new ImageData(part.width, part.height)
  const pixels = new Uint32Array(data.data.buffer)
  for (const { mask, tint } of masks) {
    const fill = pixel(tint.color, tint.alpha)
    spans(mask, lie, part, (row, from, to) => {
      for (let at = row * part.width + from; at < row * part.width + to; at++) pixels[at] = over(pixels[at]!, fill)
    })
    if (tint.edge) drawEdge(pixels, mask, lie, part, pixel(tint.edge, 1), pixel(tint.color, 1))
  }
  lay(context, data, part)
}

/** Two pixels inside the edge in the mask's colour, two outside it in the other. */
function drawEdge(pixels: Uint32Array, mask: Mask, lie: Lie, part: Rect, outside: number, inside: number): void {
  const cover = new Uint8Array(part.width * part.height)
  spans(mask, lie, part, (row, from, to) => cover.fill(1, row * part.width + from, row * part.width + to))
  const { width, height } = part
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      const here = cover[at]
      const [l, r, u, d] = [x > 1 ? cover[at - 2] : here, x < width - 2 ? cover[at + 2] : here, y > 1 ? cover[at - 2 * width] : here, y < height - 2 ? cover[at + 2 * width] : here]
      if (l === here && r === here && u === here && d === here) continue
      pixels[at] = here ? inside : outside
    }
  }
}

/** Draws a part of the image again from bits, replacing what was there. */
export function paintBits(context: CanvasRenderingContext2D, bits: Uint8Array, size: Size, lie: Lie, part: Rect, tint: Tint): void {
  const box = covered(part, lie, context.canvas)
  if (box.width === 0 || box.height === 0) return
  const data = new ImageData(box.width, box.height)
  const pixels = new Uint32Array(data.data.buffer)
  const fill = pixel(tint.color, tint.alpha)
  const columns = Int32Array.from({ length: box.width }, (_, at) => Math.floor((box.x + at + 0.5 - lie.left) / lie.scale))
  for (let row = 0; row < box.height; row++) {
    const y = Math.floor((box.y + row + 0.5 - lie.top) / lie.scale)
    if (y < 0 || y >= size.height) continue
    for (let at = 0; at < box.width; at++) {
      const x = columns[at]!
      if (x >= 0 && x < size.width && bits[y * size.width + x]) pixels[row * box.width + at] = fill
    }
  }
  context.putImageData(data, box.x, box.y)
}
