/** Where the squares of a heat strip lie, and how each is drawn. Pure but for the canvas it is given. */
import type { Shard } from './live'

export const GAP = 1

/** The side of a square: large while there are few, and never so small that a finger or an eye loses it. */
export function cellSize(count: number): number {
  return count <= 60 ? 24 : count <= 400 ? 16 : count <= 2_000 ? 11 : 8
}

export interface Grid {
  readonly columns: number
  readonly rows: number
  readonly cell: number
}

export function gridOf(count: number, width: number): Grid {
  const cell = cellSize(count)
  const columns = Math.max(1, Math.floor(width / cell))
  return { columns, rows: Math.ceil(count / columns), cell }
}

/** The index of the square at a point, or null where there is none. */
export function squareAt(grid: Grid, count: number, x: number, y: number): number | null {
  const column = Math.floor(x / grid.cell)
  if (column < 0 || column >= grid.columns || y < 0) return null
  const index = Math.floor(y / grid.cell) * grid.columns + column
  return index < count ? index : null
}

/** Where a key leads from a square. */
export function stepTo(grid: Grid, count: number, from: number, key: string): number | null {
  const by: Record<string, number> = { ArrowRight: from + 1, ArrowLeft: from - 1, ArrowDown: from + grid.columns, ArrowUp: from - grid.columns, Home: 0, End: count - 1, PageDown: from + 10 * grid.columns, PageUp: from - 10 * grid.columns }
  const to = by[key]
  return to === undefined ? null : Math.min(count - 1, Math.max(0, to))
}

export type Look = 'queued' | 'running' | 'succeeded' | 'failed' | 'reused' | 'skipped' | 'waiting' | 'cancelled'

export function lookOf(shard: Pick<Shard, 'status' | 'skip_reason'>): Look {
  return shard.status === 'skipped' && (shard.skip_reason === 'cached' || shard.skip_reason === 'reused') ? 'reused' : shard.status
}

export const LOOKS: Record<Look, { word: string; color: string }> = {
  queued: { word: 'queued', color: '--mantine-color-gray-5' },
  running: { word: 'running', color: '--mantine-color-blue-6' },
  succeeded: { word: 'succeeded', color: '--mantine-color-green-7' },
  failed: { word: 'failed', color: '--mantine-color-red-7' },
  reused: { word: 'reused', color: '--mantine-color-teal-5' },
  skipped: { word: 'skipped', color: '--mantine-color-gray-6' },
  waiting: { word: 'waiting', color: '--mantine-color-yellow-6' },
  cancelled: { word: 'cancelled', color: '--mantine-color-orange-6' },
}

type Pen = Pick<CanvasRenderingContext2D, 'fillRect' | 'strokeRect' | 'beginPath' | 'moveTo' | 'lineTo' | 'stroke' | 'fillStyle' | 'strokeStyle' | 'lineWidth'>

/** One square: its shape tells the status as much as its colour does. */
export function drawSquare(pen: Pen, look: Look, x: number, y: number, size: number, color: string, paper: string): void {
  pen.fillStyle = color
  pen.strokeStyle = color
  const line = Math.max(1, size / 8)
  pen.lineWidth = line
  switch (look) {
    case 'queued': // a dot
      pen.fillRect(x + size * 0.35, y + size * 0.35, size * 0.3, size * 0.3)
      return
    case 'running': // a frame
      pen.strokeRect(x + line / 2, y + line / 2, size - line, size - line)
      pen.fillRect(x + size * 0.35, y + size * 0.35, size * 0.3, size * 0.3)
      return
    case 'succeeded': // full
      pen.fillRect(x, y, size, size)
      return
    case 'failed': // full, with a cross
      pen.fillRect(x, y, size, size)
      pen.strokeStyle = paper
      pen.lineWidth = Math.max(1.2, size / 7)
      pen.beginPath()
      pen.moveTo(x + size * 0.2, y + size * 0.2)
      pen.lineTo(x + size * 0.8, y + size * 0.8)
      pen.moveTo(x + size * 0.8, y + size * 0.2)
      pen.lineTo(x + size * 0.2, y + size * 0.8)
      pen.stroke()
      return
    case 'reused': // the lower half
      pen.strokeRect(x + line / 2, y + line / 2, size - line, size - line)
      pen.fillRect(x, y + size / 2, size, size / 2)
      return
    case 'waiting': // a frame with a bar upright
      pen.strokeRect(x + line / 2, y + line / 2, size - line, size - line)
      pen.fillRect(x + size * 0.4, y + size * 0.2, size * 0.2, size * 0.6)
      return
    default: // skipped, cancelled: a bar across
      pen.fillRect(x, y + size * 0.4, size, size * 0.25)
  }
}

/** How many of each, in the order of `LOOKS`. */
export function tally(shards: readonly Shard[]): [Look, number][] {
  const counts = new Map<Look, number>()
  for (const shard of shards) counts.set(lookOf(shard), (counts.get(lookOf(shard)) ?? 0) + 1)
  return (Object.keys(LOOKS) as Look[]).flatMap((look) => (counts.has(look) ? [[look, counts.get(look) as number]] : []))
}
