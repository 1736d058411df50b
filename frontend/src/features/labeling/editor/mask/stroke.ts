/** The pixels that a round brush passes over. */
import type { Point, Rect, Size } from '../geometry'

/**
 * Sets the pixels (a byte each) whose middle is at most `radius` from the way between two points; gives the box of what may
 * have changed, of no size outside the image.
 */
export function stroke(bits: Uint8Array, size: Size, a: Point, b: Point, radius: number, value: 0 | 1): Rect {
  const left = Math.max(0, Math.floor(Math.min(a.x, b.x) - radius))
  const right = Math.min(size.width, Math.ceil(Math.max(a.x, b.x) + radius) + 1)
  const top = Math.max(0, Math.floor(Math.min(a.y, b.y) - radius))
  const bottom = Math.min(size.height, Math.ceil(Math.max(a.y, b.y) + radius) + 1)
  if (left >= right || top >= bottom) return { x: 0, y: 0, width: 0, height: 0 }
  if (radius < 1) thin(bits, size, a, b, value)
  else for (let y = top; y < bottom; y++) {
    const span = across(a, b, radius, y + 0.5)
    if (!span) continue
    const from = Math.max(left, Math.ceil(span[0] - 0.5))
    const to = Math.min(right, Math.floor(span[1] - 0.5) + 1)
    if (from < to) bits.fill(value, y * size.width + from, y * size.width + to)
  }
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** A line one pixel wide, in which no gap shows however fast the hand. */
function thin(bits: Uint8Array, size: Size, a: Point, b: Point, value: 0 | 1): void {
  const steps = Math.max(1, Math.ceil(2 * Math.hypot(b.x - a.x, b.y - a.y)))
  for (let step = 0; step <= steps; step++) {
    const [x, y] = [Math.floor(a.x + ((b.x - a.x) * step) / steps), Math.floor(a.y + ((b.y - a.y) * step) / steps)]
    if (x >= 0 && y >= 0 && x < size.width && y < size.height) bits[y * size.width + x] = value
  }
}

/** Where a horizontal line is inside the way: two round ends and the band between them, together convex. */
function across(a: Point, b: Point, radius: number, y: number): [number, number] | null {
  let [low, high] = [Infinity, -Infinity]
  for (const end of [a, b]) {
    const half = radius * radius - (y - end.y) ** 2
    if (half < 0) continue
    low = Math.min(low, end.x - Math.sqrt(half))
    high = Math.max(high, end.x + Math.sqrt(half))
  }
  const length = Math.hypot(b.x - a.x, b.y - a.y)
  if (length > 0) {
    const [nx, ny] = [(-(b.y - a.y) / length) * radius, ((b.x - a.x) / length) * radius]
    const corners = [{ x: a.x + nx, y: a.y + ny }, { x: b.x + nx, y: b.y + ny }, { x: b.x - nx, y: b.y - ny }, { x: a.x - nx, y: a.y - ny }]
    corners.forEach((from, index) => {
      const to = corners[(index + 1) % 4]!
      if (from.y <= y === to.y <= y) return
      const x = from.x + ((y - from.y) * (to.x - from.x)) / (to.y - from.y)
      low = Math.min(low, x)
      high = Math.max(high, x)
    })
  }
  return low <= high ? [low, high] : null
}

export function joined(a: Rect, b: Rect): Rect {
  if (a.width === 0) return b
  if (b.width === 0) return a
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)]
  return { x, y, width: Math.max(a.x + a.width, b.x + b.width) - x, height: Math.max(a.y + a.height, b.y + b.height) - y }
}
