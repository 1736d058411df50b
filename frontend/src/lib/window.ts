/** Of a large graph only what lies near the view is handed to the drawing: it looks at each of its steps with every change. Pure. */
import type { Box } from './view'

/** From so many steps on. */
export const MANY = 600
/** A large graph is not drawn smaller: too many steps would be in view. */
export const SMALLEST = 0.35
/** The view is looked at in pieces of this size, so that a small move changes nothing. Pixels of the drawing. */
const PIECE = 400
/** Steps out of view to which a wire leads that is in view: no more than these. */
const ENDS = 300

/** What is near a view, given as the drawing is moved by `x` and `y` and enlarged by `zoom`, in a room of so many pixels. */
export function near({ x, y, zoom }: { x: number; y: number; zoom: number }, room: { width: number; height: number }): Box {
  const left = Math.floor(-x / zoom / PIECE) * PIECE - PIECE
  const top = Math.floor(-y / zoom / PIECE) * PIECE - PIECE
  return { x: left, y: top, width: Math.ceil(room.width / zoom / PIECE) * PIECE + 3 * PIECE, height: Math.ceil(room.height / zoom / PIECE) * PIECE + 3 * PIECE }
}

export function sameBox(a: Box | null, b: Box): boolean {
  return a !== null && a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height
}

/** The keys of the steps to draw: those in the box (each is at most `size` large), and those that a wire from there leads to. */
export function within(box: Box, spots: Readonly<Record<string, { x: number; y: number }>>, size: { width: number; height: number }, wires: readonly { source: string; target: string }[]): Set<string> {
  const found = new Set<string>()
  for (const [key, { x, y }] of Object.entries(spots)) {
    if (x + size.width >= box.x && x <= box.x + box.width && y + size.height >= box.y && y <= box.y + box.height) found.add(key)
  }
  const ends = new Set<string>()
  for (const { source, target } of wires) {
    if (ends.size >= ENDS) break
    const one = found.has(source)
    if (one !== found.has(target)) ends.add(one ? target : source)
  }
  for (const key of ends) found.add(key)
  return found
}
