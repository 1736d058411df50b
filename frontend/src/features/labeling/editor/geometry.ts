/**
 * Shapes on an image in its pixels. Results hold percent of the image's size; a box's rotation is in degrees clockwise
 * about its top left corner, as in Label Studio. Nothing here knows of screens or zoom.
 */
import type { ShapeKind } from './config'
import { holds, maskFrom, maskOf, movedMask, rleOf, type Mask } from './mask/mask'
import type { Value } from './result'

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Point {
  readonly x: number
  readonly y: number
}

export type Rect = Point & Size

export type Shape =
  | { readonly kind: 'rectangle'; readonly x: number; readonly y: number; readonly width: number; readonly height: number; readonly rotation: number }
  | { readonly kind: 'ellipse'; readonly x: number; readonly y: number; readonly radiusX: number; readonly radiusY: number; readonly rotation: number }
  | { readonly kind: 'polygon'; readonly points: readonly Point[] }
  /** A line; a closed one has an inside. */
  | { readonly kind: 'vector'; readonly points: readonly Point[]; readonly closed: boolean }
  | { readonly kind: 'keypoint'; readonly x: number; readonly y: number; readonly width: number }
  | { readonly kind: 'brush'; readonly mask: Mask }

const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

export function shapeOf(kind: ShapeKind, value: Value, size: Size): Shape {
  if (kind === 'brush') return { kind, mask: maskFrom(value.rle, size) }
  const x = (number(value.x) / 100) * size.width
  const y = (number(value.y) / 100) * size.height
  const rotation = number(value.rotation)
  if (kind === 'rectangle') return { kind, x, y, width: (number(value.width) / 100) * size.width, height: (number(value.height) / 100) * size.height, rotation }
  if (kind === 'ellipse') return { kind, x, y, radiusX: (number(value.radiusX) / 100) * size.width, radiusY: (number(value.radiusY) / 100) * size.height, rotation }
  if (kind === 'keypoint') return { kind, x, y, width: (number(value.width) / 100) * size.width }
  if (kind === 'vector') {
    const vertices = Array.isArray(value.vertices) ? (value.vertices as { x?: unknown; y?: unknown }[]) : []
    return { kind, points: vertices.map((at) => ({ x: (number(at?.x) / 100) * size.width, y: (number(at?.y) / 100) * size.height })), closed: value.closed === true }
  }
  const points = Array.isArray(value.points) ? (value.points as [number, number][]) : []
  return { kind, points: points.map(([px, py]) => ({ x: (number(px) / 100) * size.width, y: (number(py) / 100) * size.height })) }
}

export function valueOf(shape: Shape, size: Size): Value {
  if (shape.kind === 'brush') return { format: 'rle', rle: rleOf(shape.mask) }
  const across = (pixels: number) => (pixels / size.width) * 100
  const down = (pixels: number) => (pixels / size.height) * 100
  if (shape.kind === 'polygon') return { points: shape.points.map((point) => [across(point.x), down(point.y)]), closed: true }
  if (shape.kind === 'vector') {
    // Label Studio's points are a chain: each names the one before it, the first of a closed one the last.
    const before = (index: number) => (index > 0 ? `p${index}` : shape.closed ? `p${shape.points.length}` : null)
    return { vertices: shape.points.map((point, index) => ({ id: `p${index + 1}`, x: across(point.x), y: down(point.y), prevPointId: before(index), isBezier: false })), closed: shape.closed }
  }
  const place = { x: across(shape.x), y: down(shape.y) }
  if (shape.kind === 'keypoint') return { ...place, width: across(shape.width) }
  const rotation = ((shape.rotation % 360) + 360) % 360
  if (shape.kind === 'ellipse') return { ...place, radiusX: across(shape.radiusX), radiusY: down(shape.radiusY), rotation }
  return { ...place, width: across(shape.width), height: down(shape.height), rotation }
}

/** Degrees clockwise (y points down). */
export function rotate(point: Point, about: Point, degrees: number): Point {
  if (degrees === 0) return point
  const angle = (degrees * Math.PI) / 180
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const [dx, dy] = [point.x - about.x, point.y - about.y]
  return { x: about.x + dx * cos - dy * sin, y: about.y + dx * sin + dy * cos }
}

export type Path = Extract<Shape, { points: readonly Point[] }>

export function isPath(shape: Shape): shape is Path {
  return 'points' in shape
}

/** A line that ends somewhere else than where it begins: it has no inside. */
export function isOpen(shape: Shape): boolean {
  return shape.kind === 'vector' && !shape.closed
}

const AROUND = 40

/** The outline as a polygon; an ellipse in 40 corners; of a mask the box around it; of a key point its place alone. */
export function outline(shape: Shape): readonly Point[] {
  if (isPath(shape)) return shape.points
  if (shape.kind === 'keypoint') return [shape]
  if (shape.kind === 'brush') return shape.mask.area > 0 ? cornersOf(shape.mask.bounds) : []
  if (shape.kind === 'rectangle') {
    const { x, y, width, height, rotation } = shape
    const corners = [shape, { x: x + width, y }, { x: x + width, y: y + height }, { x, y: y + height }]
    return corners.map((corner) => rotate({ x: corner.x, y: corner.y }, shape, rotation))
  }
  return Array.from({ length: AROUND }, (_, index) => {
    const angle = (index / AROUND) * 2 * Math.PI
    return rotate({ x: shape.x + shape.radiusX * Math.cos(angle), y: shape.y + shape.radiusY * Math.sin(angle) }, shape, shape.rotation)
  })
}

function cornersOf({ x, y, width, height }: Rect): Point[] {
  return [{ x, y }, { x: x + width, y }, { x: x + width, y: y + height }, { x, y: y + height }]
}

export function boundsOf(points: readonly Point[]): Rect {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const point of points) {
    left = Math.min(left, point.x)
    top = Math.min(top, point.y)
    right = Math.max(right, point.x)
    bottom = Math.max(bottom, point.y)
  }
  return left === Infinity ? { x: 0, y: 0, width: 0, height: 0 } : { x: left, y: top, width: right - left, height: bottom - top }
}

/** The upright box around a shape. */
export function hull(shape: Shape): Rect {
  if (shape.kind === 'ellipse') {
    const angle = (shape.rotation * Math.PI) / 180
    const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
    const [half, tall] = [Math.hypot(shape.radiusX * cos, shape.radiusY * sin), Math.hypot(shape.radiusX * sin, shape.radiusY * cos)]
    return { x: shape.x - half, y: shape.y - tall, width: 2 * half, height: 2 * tall }
  }
  return boundsOf(outline(shape))
}

export function centreOf(shape: Shape): Point {
  const box = hull(shape)
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
}

export function moved<S extends Shape>(shape: S, dx: number, dy: number): S {
  if (isPath(shape)) return { ...shape, points: shape.points.map((point) => ({ x: point.x + dx, y: point.y + dy })) }
  if (shape.kind === 'brush') return { ...shape, mask: movedMask(shape.mask, dx, dy) }
  return { ...shape, x: shape.x + dx, y: shape.y + dy }
}

/** Wider and taller by so many pixels of the image, the top left corner staying; never below 1 pixel. A mask is as it was painted. */
export function resized(shape: Shape, dw: number, dh: number): Shape {
  if (shape.kind === 'brush') return shape
  if (shape.kind === 'rectangle') return { ...shape, width: Math.max(1, shape.width + dw), height: Math.max(1, shape.height + dh) }
  if (shape.kind === 'ellipse') return { ...shape, radiusX: Math.max(1, shape.radiusX + dw / 2), radiusY: Math.max(1, shape.radiusY + dh / 2) }
  if (shape.kind === 'keypoint') return { ...shape, width: Math.max(1, shape.width + dw + dh) }
  const box = hull(shape)
  const [across, down] = [Math.max(1, box.width + dw) / (box.width || 1), Math.max(1, box.height + dh) / (box.height || 1)]
  return { ...shape, points: shape.points.map((point) => ({ x: box.x + (point.x - box.x) * across, y: box.y + (point.y - box.y) * down })) }
}

const within = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), Math.max(low, high))

export function clampPoint(point: Point, size: Size): Point {
  return { x: within(point.x, 0, size.width), y: within(point.y, 0, size.height) }
}

/** Moved back into the image, at its size; what is larger than the image stays at the top left. */
export function pushedInside<S extends Shape>(shape: S, size: Size): S {
  const box = hull(shape)
  const dx = within(box.x, 0, size.width - box.width) - box.x
  const dy = within(box.y, 0, size.height - box.height) - box.y
  return dx === 0 && dy === 0 ? shape : moved(shape, dx, dy)
}

/** Cut (an upright box, a polygon's points) or, where cutting would give another shape, shrunk and pushed into the image. */
export function clamped(shape: Shape, size: Size): Shape {
  if (shape.kind === 'brush') return shape
  if (shape.kind === 'keypoint') return { ...shape, ...clampPoint(shape, size) }
  if (isPath(shape)) return { ...shape, points: shape.points.map((point) => clampPoint(point, size)) }
  if (shape.kind === 'rectangle' && shape.rotation % 360 === 0) {
    const from = clampPoint(shape, size)
    const to = clampPoint({ x: shape.x + shape.width, y: shape.y + shape.height }, size)
    return { ...shape, ...from, width: to.x - from.x, height: to.y - from.y }
  }
  const box = hull(shape)
  const fit = Math.min(1, size.width / (box.width || 1), size.height / (box.height || 1))
  const smaller: Shape =
    fit >= 1 ? shape : shape.kind === 'rectangle' ? { ...shape, width: shape.width * fit, height: shape.height * fit } : { ...shape, radiusX: shape.radiusX * fit, radiusY: shape.radiusY * fit }
  return pushedInside(smaller, size)
}

/** The upright box or ellipse between two points. */
export function between(kind: 'rectangle' | 'ellipse', from: Point, to: Point): Shape {
  const [x, y] = [Math.min(from.x, to.x), Math.min(from.y, to.y)]
  const [width, height] = [Math.abs(from.x - to.x), Math.abs(from.y - to.y)]
  if (kind === 'rectangle') return { kind, x, y, width, height, rotation: 0 }
  return { kind, x: x + width / 2, y: y + height / 2, radiusX: width / 2, radiusY: height / 2, rotation: 0 }
}

/** What Enter places: a shape a quarter of what is seen, in its middle. */
export function defaultShape(kind: ShapeKind, seen: Rect, size: Size, points = 2): Shape {
  const centre = { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2 }
  const [w, h] = [seen.width / 8, seen.height / 8]
  const corners = [
    { x: centre.x - w, y: centre.y - h },
    { x: centre.x + w, y: centre.y - h },
    { x: centre.x + w, y: centre.y + h },
    { x: centre.x - w, y: centre.y + h },
  ]
  if (kind === 'polygon') return { kind, points: corners }
  if (kind === 'vector') return { kind, points: Array.from({ length: points }, (_, index) => ({ x: centre.x - w + (2 * w * index) / (points - 1), y: centre.y })), closed: false }
  if (kind === 'keypoint') return { kind, ...centre, width: 0 }
  if (kind === 'brush') return { kind, mask: discOf(size, centre, Math.max(1, Math.min(w, h))) }
  return between(kind, { x: centre.x - w, y: centre.y - h }, { x: centre.x + w, y: centre.y + h })
}

function discOf(size: Size, centre: Point, radius: number): Mask {
  const edges: number[] = []
  for (let y = Math.max(0, Math.floor(centre.y - radius)); y < Math.min(size.height, centre.y + radius); y++) {
    const half = radius * radius - (y + 0.5 - centre.y) ** 2
    const [from, to] = [Math.max(0, Math.ceil(centre.x - Math.sqrt(Math.max(0, half)) - 0.5)), Math.min(size.width, Math.floor(centre.x + Math.sqrt(Math.max(0, half)) - 0.5) + 1)]
    if (half >= 0 && from < to) edges.push(y * size.width + from, y * size.width + to)
  }
  return maskOf(size, edges)
}

export function distanceToSegment(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const along = within(((point.x - a.x) * dx + (point.y - a.y) * dy) / (dx * dx + dy * dy || 1), 0, 1)
  return Math.hypot(point.x - a.x - along * dx, point.y - a.y - along * dy)
}

/** Even-odd rule. */
export function isInside(point: Point, polygon: readonly Point[]): boolean {
  let inside = false
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [a, b] = [polygon[i]!, polygon[j]!]
    if (a.y > point.y !== b.y > point.y && point.x < ((b.x - a.x) * (point.y - a.y)) / (b.y - a.y) + a.x) inside = !inside
  }
  return inside
}

/** Where a point meets a shape: near its edge (closer than `reach` pixels of the image), inside, or not. */
export function meet(shape: Shape, point: Point, reach: number): 'edge' | 'inside' | null {
  const box = hull(shape)
  if (point.x < box.x - reach || point.y < box.y - reach || point.x > box.x + box.width + reach || point.y > box.y + box.height + reach) return null
  if (shape.kind === 'keypoint') return Math.hypot(point.x - shape.x, point.y - shape.y) <= Math.max(reach, shape.width / 2) ? 'edge' : null
  if (shape.kind === 'brush') {
    const inside = holds(shape.mask, point)
    const around = [[1, 0], [0, 1], [-1, 0], [0, -1], [0.7, 0.7], [-0.7, 0.7], [0.7, -0.7], [-0.7, -0.7]] as const
    const edge = around.some(([dx, dy]) => holds(shape.mask, { x: point.x + dx * reach, y: point.y + dy * reach }) !== inside)
    return edge ? 'edge' : inside ? 'inside' : null
  }
  const corners = outline(shape)
  const open = isOpen(shape)
  const near = corners.some((corner, index) => (!open || index < corners.length - 1) && distanceToSegment(point, corner, corners[(index + 1) % corners.length]!) <= reach)
  return near ? 'edge' : !open && isInside(point, corners) ? 'inside' : null
}

export function area(shape: Shape): number {
  if (shape.kind === 'brush') return shape.mask.area
  // Met at its edge only, so that it is never in the way.
  if (isOpen(shape)) return 0
  const box = hull(shape)
  return box.width * box.height
}

/** The polygon with a point added on its edge `after`. */
export function withPoint(points: readonly Point[], after: number, point: Point): Point[] {
  return [...points.slice(0, after + 1), point, ...points.slice(after + 1)]
}

/** Without a point; a polygon keeps at least three, an open line two. */
export function withoutPoint(points: readonly Point[], index: number, least = 3): readonly Point[] {
  return points.length <= least ? points : points.filter((_, other) => other !== index)
}
