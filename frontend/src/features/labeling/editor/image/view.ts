/** How an image lies on the screen: screen = image × scale + (x, y). Pure. */
import type { Point, Rect, Size } from '../geometry'

export interface Placing {
  readonly scale: number
  readonly x: number
  readonly y: number
}

const LARGEST = 40
/** So much of the window always shows the image, in pixels of the screen. */
const KEPT = 60

export function toImage(placing: Placing, point: Point): Point {
  return { x: (point.x - placing.x) / placing.scale, y: (point.y - placing.y) / placing.scale }
}

export function toScreen(placing: Placing, point: Point): Point {
  return { x: point.x * placing.scale + placing.x, y: point.y * placing.scale + placing.y }
}

/** The whole image in the middle, a small margin around it; a small image at most 8 times its size. */
export function fitted(size: Size, box: Size, margin = 16): Placing {
  const scale = Math.min(8, (box.width - 2 * margin) / size.width, (box.height - 2 * margin) / size.height)
  const used = scale > 0 ? scale : 1
  return { scale: used, x: (box.width - size.width * used) / 2, y: (box.height - size.height * used) / 2 }
}

/** Never so far aside that the image is out of sight. */
export function kept(placing: Placing, size: Size, box: Size): Placing {
  const x = Math.min(Math.max(placing.x, KEPT - size.width * placing.scale), box.width - KEPT)
  const y = Math.min(Math.max(placing.y, KEPT - size.height * placing.scale), box.height - KEPT)
  return x === placing.x && y === placing.y ? placing : { ...placing, x, y }
}

/** Larger by a factor, the point of the screen `at` staying where it is. */
export function zoomed(placing: Placing, by: number, at: Point, size: Size, box: Size): Placing {
  const smallest = Math.min(1, fitted(size, box).scale) / 4
  const scale = Math.min(Math.max(placing.scale * by, smallest), LARGEST)
  const fixed = toImage(placing, at)
  return kept({ scale, x: at.x - fixed.x * scale, y: at.y - fixed.y * scale }, size, box)
}

export function panned(placing: Placing, dx: number, dy: number, size: Size, box: Size): Placing {
  return kept({ ...placing, x: placing.x + dx, y: placing.y + dy }, size, box)
}

/** What of the image is seen, in its pixels. */
export function seenOf(placing: Placing, size: Size, box: Size): Rect {
  const from = toImage(placing, { x: 0, y: 0 })
  const to = toImage(placing, { x: box.width, y: box.height })
  const [x, y] = [Math.max(0, from.x), Math.max(0, from.y)]
  return { x, y, width: Math.max(1, Math.min(size.width, to.x) - x), height: Math.max(1, Math.min(size.height, to.y) - y) }
}

/** Closer to a part of the image: it takes up to about half of the window. */
export function closeTo(part: Rect, size: Size, box: Size): Placing {
  const room = { width: Math.max(part.width, 12) * 2, height: Math.max(part.height, 12) * 2 }
  const scale = Math.min(LARGEST, box.width / room.width, box.height / room.height)
  return kept({ scale, x: box.width / 2 - (part.x + part.width / 2) * scale, y: box.height / 2 - (part.y + part.height / 2) * scale }, size, box)
}

/** The least change that brings a part into sight; the same placing if it is there already. */
export function bringing(placing: Placing, part: Rect, size: Size, box: Size, margin = 24): Placing {
  const [from, to] = [toScreen(placing, part), toScreen(placing, { x: part.x + part.width, y: part.y + part.height })]
  if (from.x >= 0 && from.y >= 0 && to.x <= box.width && to.y <= box.height) return placing
  if (to.x - from.x > box.width - 2 * margin || to.y - from.y > box.height - 2 * margin) return closeTo(part, size, box)
  const dx = from.x < margin ? margin - from.x : to.x > box.width - margin ? box.width - margin - to.x : 0
  const dy = from.y < margin ? margin - from.y : to.y > box.height - margin ? box.height - margin - to.y : 0
  return kept({ ...placing, x: placing.x + dx, y: placing.y + dy }, size, box)
}
