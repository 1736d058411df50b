/** A shape in the making: what a press, a move and a release of the pointer make of it. Points are the image's pixels. */
import type { ShapeKind } from '../config'
import { between, clampPoint, type Point, type Shape, type Size } from '../geometry'

export type Drawing =
  | { readonly kind: 'rectangle' | 'ellipse'; readonly from: Point; readonly to: Point; /** By two clicks, not by a drag. */ readonly clicks: boolean }
  | Pathway

/** Point by point. */
interface Pathway {
  readonly kind: 'polygon' | 'vector'
  readonly points: readonly Point[]
  readonly to: Point
}

/** How many points a line may have, and whether a click on its first one closes it. */
export interface Rules {
  readonly least: number
  readonly most: number
  readonly closable: boolean
}

const POLYGON: Rules = { least: 3, most: Infinity, closable: true }

/** A line must be ended somehow: one that may have two points at most ends with the second. */
export function rulesOf(control: { minimum: number | null; maximum: number | null; closable: boolean } | undefined): Rules {
  return { least: Math.max(2, control?.minimum ?? 2), most: control?.maximum ?? Infinity, closable: control?.closable ?? false }
}

export function isPathway(drawing: Drawing): drawing is Pathway {
  return 'points' in drawing
}

export type Next = { readonly drawing: Drawing | null; readonly made?: Shape; /** A click on nothing in particular. */ readonly click?: boolean }

/** `reach`: how far (pixels of the image) two clicks may lie apart to be the same place. */
export function pressed(drawing: Drawing | null, kind: Exclude<ShapeKind, 'brush'>, at: Point, size: Size, reach: number, lines: Rules = POLYGON): Next {
  const point = clampPoint(at, size)
  if (kind === 'keypoint') return { drawing: null, made: { kind, ...point, width: 0 } }
  if (kind === 'polygon' || kind === 'vector') {
    if (drawing?.kind !== kind) return { drawing: { kind, points: [point], to: point } }
    const rules = kind === 'polygon' ? POLYGON : lines
    const [first, last] = [drawing.points[0]!, drawing.points.at(-1)!]
    if (rules.closable && drawing.points.length >= Math.max(3, rules.least) && near(first, point, reach * 2)) return { drawing: null, made: pathOf(drawing, true) }
    if (drawing.points.length >= rules.least && near(last, point, reach)) return finished(drawing, rules)
    // The second half of a double click, or a finger that trembled.
    if (near(last, point, reach / 2)) return { drawing }
    const longer = { ...drawing, points: [...drawing.points, point], to: point }
    return longer.points.length >= rules.most ? finished(longer, rules) : { drawing: longer }
  }
  if (drawing && drawing.kind === kind && drawing.clicks) {
    return near(drawing.from, point, reach) ? { drawing } : { drawing: null, made: between(kind, drawing.from, point) }
  }
  return { drawing: { kind, from: point, to: point, clicks: false } }
}

/** `even`: as wide as high. */
export function pulled(drawing: Drawing, at: Point, size: Size, even: boolean): Drawing {
  const point = clampPoint(at, size)
  if (isPathway(drawing) || !even) return { ...drawing, to: point }
  const side = Math.max(Math.abs(point.x - drawing.from.x), Math.abs(point.y - drawing.from.y))
  const square = { x: drawing.from.x + side * Math.sign(point.x - drawing.from.x || 1), y: drawing.from.y + side * Math.sign(point.y - drawing.from.y || 1) }
  return { ...drawing, to: clampPoint(square, size) }
}

/** A release after a drag makes the shape; one where the press was begins the way by two clicks. */
export function released(drawing: Drawing, reach: number): Next {
  if (isPathway(drawing) || drawing.clicks) return { drawing }
  if (near(drawing.from, drawing.to, reach)) return { drawing: { ...drawing, clicks: true }, click: true }
  return { drawing: null, made: between(drawing.kind, drawing.from, drawing.to) }
}

/** Enter: closes a polygon of three points or more, ends a line, takes a box as it is. */
export function finished(drawing: Drawing, lines: Rules = POLYGON): Next {
  if (isPathway(drawing)) return drawing.points.length >= (drawing.kind === 'polygon' ? POLYGON : lines).least ? { drawing: null, made: pathOf(drawing, false) } : { drawing }
  return { drawing: null, made: between(drawing.kind, drawing.from, drawing.to) }
}

/** Backspace: without the last point; null when none is left. */
export function shortened(drawing: Drawing): Drawing | null {
  return isPathway(drawing) && drawing.points.length > 1 ? { ...drawing, points: drawing.points.slice(0, -1) } : null
}

function pathOf({ kind, points }: Pathway, closed: boolean): Shape {
  return kind === 'polygon' ? { kind, points } : { kind, points, closed }
}

function near(a: Point, b: Point, reach: number): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) <= reach
}
