/** A shape in the making: what a press, a move and a release of the pointer make of it. Points are the image's pixels. */
import type { ShapeKind } from '../config'
import { between, clampPoint, type Point, type Shape, type Size } from '../geometry'

export type Drawing =
  | { readonly kind: 'rectangle' | 'ellipse'; readonly from: Point; readonly to: Point; /** By two clicks, not by a drag. */ readonly clicks: boolean }
  | { readonly kind: 'polygon'; readonly points: readonly Point[]; readonly to: Point }

export type Next = { readonly drawing: Drawing | null; readonly made?: Shape; /** A click on nothing in particular. */ readonly click?: boolean }

/** `reach`: how far (pixels of the image) two clicks may lie apart to be the same place. */
export function pressed(drawing: Drawing | null, kind: Exclude<ShapeKind, 'brush'>, at: Point, size: Size, reach: number): Next {
  const point = clampPoint(at, size)
  if (kind === 'keypoint') return { drawing: null, made: { kind, ...point, width: 0 } }
  if (kind === 'polygon') {
    if (drawing?.kind !== 'polygon') return { drawing: { kind, points: [point], to: point } }
    const [first, last] = [drawing.points[0]!, drawing.points.at(-1)!]
    if (drawing.points.length >= 3 && (near(first, point, reach * 2) || near(last, point, reach))) return finished(drawing)
    // The second half of a double click, or a finger that trembled.
    if (near(last, point, reach / 2)) return { drawing }
    return { drawing: { ...drawing, points: [...drawing.points, point], to: point } }
  }
  if (drawing && drawing.kind === kind && drawing.clicks) {
    return near(drawing.from, point, reach) ? { drawing } : { drawing: null, made: between(kind, drawing.from, point) }
  }
  return { drawing: { kind, from: point, to: point, clicks: false } }
}

/** `even`: as wide as high. */
export function pulled(drawing: Drawing, at: Point, size: Size, even: boolean): Drawing {
  const point = clampPoint(at, size)
  if (drawing.kind === 'polygon' || !even) return { ...drawing, to: point }
  const side = Math.max(Math.abs(point.x - drawing.from.x), Math.abs(point.y - drawing.from.y))
  const square = { x: drawing.from.x + side * Math.sign(point.x - drawing.from.x || 1), y: drawing.from.y + side * Math.sign(point.y - drawing.from.y || 1) }
  return { ...drawing, to: clampPoint(square, size) }
}

/** A release after a drag makes the shape; one where the press was begins the way by two clicks. */
export function released(drawing: Drawing, reach: number): Next {
  if (drawing.kind === 'polygon' || drawing.clicks) return { drawing }
  if (near(drawing.from, drawing.to, reach)) return { drawing: { ...drawing, clicks: true }, click: true }
  return { drawing: null, made: between(drawing.kind, drawing.from, drawing.to) }
}

/** Enter: closes a polygon of three points or more, takes a box as it is. */
export function finished(drawing: Drawing): Next {
  if (drawing.kind === 'polygon') return drawing.points.length >= 3 ? { drawing: null, made: { kind: 'polygon', points: drawing.points } } : { drawing }
  return { drawing: null, made: between(drawing.kind, drawing.from, drawing.to) }
}

/** Backspace: without the last point; null when none is left. */
export function shortened(drawing: Drawing): Drawing | null {
  return drawing.kind === 'polygon' && drawing.points.length > 1 ? { ...drawing, points: drawing.points.slice(0, -1) } : null
}

function near(a: Point, b: Point, reach: number): boolean {
  return Math.hypot(a.x - b.x, a.y - b.y) <= reach
}
