/** The part of a large picture that is in the window, from its tiles; where one is on its way, from the coarser one that is there. */
import { useLayoutEffect, useRef } from 'react'

import type { Rect, Size } from '../../geometry'
import { seenOf, type Placing } from '../view'
import type { TileCache } from './cache'
import { above, covering, levelFor, placeOf, type Tile } from './grid'
import classes from '../ImageCanvas.module.css'

/** Around the window so much more is fetched, as a share of it: what a pan brings into sight. */
const AROUND = 0.5

export function Tiles({ tiles, placing, box, size, turn, pixelated, filter }: { tiles: TileCache; placing: Placing; box: Size; size: Size; turn: number; pixelated: boolean; filter: string | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const ratio = Math.min(2, window.devicePixelRatio)

  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context) return
    const { pyramid } = tiles
    const level = levelFor(pyramid, placing.scale * ratio)
    const seen = seenOf(placing, size, box)
    const shown = covering(pyramid, level, seen)
    const wide = covering(pyramid, level, grown(seen), { x: seen.x + seen.width / 2, y: seen.y + seen.height / 2 })
    const coarse = level + 2 < pyramid.levels ? covering(pyramid, level + 2, seen).slice(0, 6) : []
    const first = new Set(shown.map((tile) => `${tile.column}/${tile.row}`))
    tiles.want([...shown, ...coarse, ...wide.filter((tile) => !first.has(`${tile.column}/${tile.row}`))])
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, context.canvas.width, context.canvas.height)
    context.imageSmoothingEnabled = !pixelated
    let missing = 0
    for (const tile of shown) if (!draw(context, tiles, tile, placing, ratio)) missing++
    canvas.current!.dataset.tiles = missing === 0 ? 'sharp' : 'coming'
    canvas.current!.dataset.level = String(level)
  }, [tiles, placing, box, size, turn, ratio, pixelated])

  return <canvas ref={canvas} className={classes.tiles} style={{ filter }} width={Math.round(box.width * ratio)} height={Math.round(box.height * ratio)} data-tiles="coming" aria-hidden />
}

function grown(part: Rect): Rect {
  const [by, down] = [part.width * AROUND, part.height * AROUND]
  return { x: part.x - by, y: part.y - down, width: part.width + 2 * by, height: part.height + 2 * down }
}

/** Draws the tile, or what is there of the coarser ones; whether it was the tile itself. */
function draw(context: CanvasRenderingContext2D, tiles: TileCache, tile: Tile, placing: Placing, ratio: number): boolean {
  const { pyramid } = tiles
  const place = placeOf(pyramid, tile)
  // Edges lie on whole pixels of the screen, so that neighbours meet.
  const [scale, left, top] = [placing.scale * ratio, placing.x * ratio, placing.y * ratio]
  const [x, y] = [Math.round(place.x * scale + left), Math.round(place.y * scale + top)]
  const [right, bottom] = [Math.round((place.x + place.width) * scale + left), Math.round((place.y + place.height) * scale + top)]
  for (let by = 0; tile.level + by < pyramid.levels; by++) {
    const from = by === 0 ? tile : above(tile, by)
    const bitmap = tiles.get(from)
    if (!bitmap) continue
    const whole = placeOf(pyramid, from)
    const [across, down] = [bitmap.width / whole.width, bitmap.height / whole.height]
    context.drawImage(bitmap, (place.x - whole.x) * across, (place.y - whole.y) * down, place.width * across, place.height * down, x, y, right - x, bottom - y)
    return by === 0
  }
  return false
}
