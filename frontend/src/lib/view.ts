/** Where a drawing is looked at from. */

export type Box = { x: number; y: number; width: number; height: number }
export type View = { x: number; y: number; zoom: number }

/** Below this a graph is not shown whole: on a phone its words must be read, on a desk its shape is enough. */
const LEAST = { narrow: 0.5, wide: 0.2 }
const NARROW = 700
const MARGIN = 16

/**
 * The first look at a graph: all of it in the middle, or, where that would be too small to read (a long pipeline on a phone), its
 * beginning at the left edge, `start` at half height. `smallest`: what a large graph is not drawn below.
 */
export function firstView(all: Box, start: Box, room: { width: number; height: number }, padding = 0.12, smallest = 0): View {
  const zoom = Math.min(1, room.width / (all.width * (1 + padding)), room.height / (all.height * (1 + padding)))
  const least = Math.max(smallest, room.width < NARROW ? LEAST.narrow : LEAST.wide)
  if (zoom >= least) return { zoom, x: (room.width - all.width * zoom) / 2 - all.x * zoom, y: (room.height - all.height * zoom) / 2 - all.y * zoom }
  return { zoom: least, x: MARGIN - all.x * least, y: room.height / 2 - (start.y + start.height / 2) * least }
}
