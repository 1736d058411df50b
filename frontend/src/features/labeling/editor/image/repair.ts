/** From one plan's bitmap to another's where a few pictures differ: only what lies there is cleared and drawn. */
import type { Rect } from '../geometry'
import { CROWD, extentOf, paint, planOf, type Frame, type Picture, type Plan } from './paint'

/** With more that differ, all is drawn. */
const FEW = 24

/** Those that are in only one of the two plans, or that one of them leaves to be drawn by itself; null where more than that differs. */
export function differing(before: Plan, now: Plan): Picture[] | null {
  const others = (plan: Plan) => plan.arrows.length + plan.bones.length + plan.masks.length
  if (others(before) + others(now) > 0 || (before.pictures.length > CROWD) !== (now.pictures.length > CROWD)) return null
  const [had, has] = [new Set(before.pictures), new Set(now.pictures)]
  const alone = before.without === now.without ? [] : [before.without, now.without]
  const found = [...before.pictures.filter((picture) => !has.has(picture)), ...now.pictures.filter((picture) => !had.has(picture) || alone.includes(picture.id))]
  return found.length > FEW ? null : found
}

/** False where nothing was done: all must be drawn. The context's transform is the bitmap's placing. */
export function repair(sheet: CanvasRenderingContext2D, before: Plan, now: Plan, frame: Omit<Frame, 'crowded'>): boolean {
  const changed = differing(before, now)
  if (!changed) return false
  const full = { ...frame, crowded: now.pictures.length > CROWD }
  const extents = now.pictures.map((picture) => extentOf(sheet, picture, full))
  for (const part of joined(changed.map((picture) => whole(extentOf(sheet, picture, full), sheet.getTransform())))) {
    const there = now.pictures.filter((_, index) => meets(extents[index]!, part))
    sheet.save()
    sheet.beginPath()
    sheet.rect(part.x, part.y, part.width, part.height)
    sheet.clip()
    sheet.clearRect(part.x, part.y, part.width, part.height)
    paint(sheet, planOf(there, [], [], now.without), full)
    sheet.restore()
  }
  return true
}

/** Out to whole pixels of the bitmap: an edge through a pixel would show as a seam. */
function whole(rect: Rect, { a: scale, e, f }: { a: number; e: number; f: number }): Rect {
  const [left, top] = [Math.floor(rect.x * scale + e), Math.floor(rect.y * scale + f)]
  const [right, bottom] = [Math.ceil((rect.x + rect.width) * scale + e), Math.ceil((rect.y + rect.height) * scale + f)]
  return { x: (left - e) / scale, y: (top - f) / scale, width: (right - left) / scale, height: (bottom - top) / scale }
}

/** Rectangles that meet become one: what lies in both would be drawn twice, and what shines through is not what it was. */
export function joined(rects: readonly Rect[]): Rect[] {
  const found: Rect[] = []
  for (const rect of rects) {
    let one = rect
    for (let at = found.findIndex((other) => meets(other, one)); at >= 0; at = found.findIndex((other) => meets(other, one))) {
      const [other] = found.splice(at, 1) as [Rect]
      const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)]
      one = { x, y, width: Math.max(one.x + one.width, other.x + other.width) - x, height: Math.max(one.y + one.height, other.y + other.height) - y }
    }
    found.push(one)
  }
  return found
}

function meets(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}
