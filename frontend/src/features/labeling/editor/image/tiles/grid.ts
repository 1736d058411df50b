/** A picture in tiles, as the studio cuts it: level 0 has its own pixels, each further one half of them (rounded up). Pure. */
import type { Point, Rect, Size } from '../../geometry'

export interface Pyramid extends Size {
  /** Pixels of a tile's side. */
  readonly tile: number
  readonly levels: number
}

export interface Tile {
  readonly level: number
  readonly column: number
  readonly row: number
}

/** The coarsest level that still has a pixel for each of the screen's. `scale`: pixels of the screen for one of the picture. */
export function levelFor(pyramid: Pyramid, scale: number): number {
  return Math.min(pyramid.levels - 1, Math.max(0, Math.floor(Math.log2(1 / scale) + 1e-9)))
}

export function levelSize(pyramid: Pyramid, level: number): Size {
  const of = (pixels: number) => Math.ceil(pixels / 2 ** level)
  return { width: of(pyramid.width), height: of(pyramid.height) }
}

/** Where a tile lies, in the picture's pixels. */
export function placeOf(pyramid: Pyramid, { level, column, row }: Tile): Rect {
  const side = pyramid.tile * 2 ** level
  const [x, y] = [column * side, row * side]
  return { x, y, width: Math.min(side, pyramid.width - x), height: Math.min(side, pyramid.height - y) }
}

/** The tiles of a level that cover a part of the picture, those nearest to `middle` first. */
export function covering(pyramid: Pyramid, level: number, part: Rect, middle: Point = { x: part.x + part.width / 2, y: part.y + part.height / 2 }): Tile[] {
  const side = pyramid.tile * 2 ** level
  const last = (pixels: number) => Math.ceil(pixels / side) - 1
  const [left, top] = [Math.max(0, Math.floor(part.x / side)), Math.max(0, Math.floor(part.y / side))]
  const [right, bottom] = [Math.min(last(pyramid.width), last(part.x + part.width)), Math.min(last(pyramid.height), last(part.y + part.height))]
  const found: Tile[] = []
  for (let row = top; row <= bottom; row++) for (let column = left; column <= right; column++) found.push({ level, column, row })
  const away = ({ column, row }: Tile) => Math.hypot((column + 0.5) * side - middle.x, (row + 0.5) * side - middle.y)
  return found.sort((a, b) => away(a) - away(b))
}

/** The tile of a coarser level in which a tile lies. */
export function above({ level, column, row }: Tile, by = 1): Tile {
  return { level: level + by, column: column >> by, row: row >> by }
}
