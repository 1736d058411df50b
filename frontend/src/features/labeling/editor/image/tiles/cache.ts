/** Tiles that were fetched and decoded: those that are looked at first, the longest unseen let go. */
import type { Colours } from '../../mask/wand'
import type { Rect } from '../../geometry'
import { covering, levelSize, type Pyramid, type Tile } from './grid'

/** Fetched at once: a browser opens no more lines to a studio. */
const AT_ONCE = 6
/** Kept decoded, a megabyte each. */
const KEPT = 192
/** A tile that did not come is asked for again after so long. */
const AGAIN_MS = 3000

export class TileCache {
  private readonly kept = new Map<string, ImageBitmap>()
  private readonly coming = new Map<string, AbortController>()
  private readonly failed = new Map<string, number>()
  private queue: Tile[] = []
  private over = false

  /** `arrived` is called when there is something new to draw, `lost` when a tile is no longer there. */
  constructor(readonly pyramid: Pyramid, private readonly base: string, private readonly arrived: () => void, private readonly lost: () => void) {}

  get(tile: Tile): ImageBitmap | undefined {
    const key = keyOf(tile)
    const found = this.kept.get(key)
    if (found) {
      this.kept.delete(key)
      this.kept.set(key, found)
    }
    return found
  }

  /** These are wanted, in this order; what is on its way and not among them is given up. */
  want(tiles: readonly Tile[]): void {
    const keys = new Set(tiles.map(keyOf))
    for (const [key, stop] of this.coming) if (!keys.has(key)) stop.abort()
    const now = performance.now()
    this.queue = tiles.filter((tile) => !this.kept.has(keyOf(tile)) && !this.coming.has(keyOf(tile)) && (this.failed.get(keyOf(tile)) ?? 0) <= now)
    this.go()
  }

  close(): void {
    this.over = true
    this.queue = []
    for (const stop of this.coming.values()) stop.abort()
    for (const bitmap of this.kept.values()) bitmap.close()
    this.kept.clear()
  }

  /** The colours of a part of a level (in its own pixels). Null when some of it does not come, or `stopped` says so. */
  async colours(level: number, part: Rect, stopped: () => boolean): Promise<Colours | null> {
    const { tile } = this.pyramid
    const size = levelSize(this.pyramid, level)
    const by = 2 ** level
    const [left, top] = [part.x, part.y]
    const [width, height] = [Math.min(part.width, size.width - left), Math.min(part.height, size.height - top)]
    const data = new Uint8ClampedArray(4 * width * height)
    const context = new OffscreenCanvas(tile, tile).getContext('2d', { willReadFrequently: true })
    const waiting = covering(this.pyramid, level, { x: left * by, y: top * by, width: width * by, height: height * by })
    const read = async (): Promise<boolean> => {
      for (let one = waiting.pop(); one; one = waiting.pop()) {
        const known = this.kept.get(keyOf(one))
        const bitmap = known ?? (await this.fetch(one).catch(() => null))
        if (!bitmap || !context || stopped()) return false
        context.clearRect(0, 0, tile, tile)
        context.drawImage(bitmap, 0, 0)
        const [x, y] = [one.column * tile - left, one.row * tile - top]
        const [from, to] = [Math.max(0, -x), Math.min(bitmap.width, width - x)]
        const colours = context.getImageData(0, 0, bitmap.width, bitmap.height).data
        for (let row = Math.max(0, -y); row < Math.min(bitmap.height, height - y); row++) {
          data.set(colours.subarray(4 * (row * bitmap.width + from), 4 * (row * bitmap.width + to)), 4 * ((y + row) * width + x + from))
        }
        if (!known) bitmap.close()
      }
      return true
    }
    const done = await Promise.all(Array.from({ length: AT_ONCE }, read))
    return done.every(Boolean) ? { width, height, row: (y) => data.subarray(4 * y * width, 4 * (y + 1) * width) } : null
  }

  private go(): void {
    while (!this.over && this.coming.size < AT_ONCE) {
      const tile = this.queue.shift()
      if (!tile) return
      const key = keyOf(tile)
      const stop = new AbortController()
      this.coming.set(key, stop)
      this.fetch(tile, stop.signal)
        .then((bitmap) => {
          if (this.over) return bitmap.close()
          this.kept.set(key, bitmap)
          this.forget()
          this.arrived()
        })
        .catch(() => {
          if (stop.signal.aborted) return
          this.failed.set(key, performance.now() + AGAIN_MS)
          setTimeout(() => !this.over && this.arrived(), AGAIN_MS + 50)
        })
        .finally(() => {
          this.coming.delete(key)
          this.go()
        })
    }
  }

  private async fetch({ level, column, row }: Tile, signal?: AbortSignal): Promise<ImageBitmap> {
    const answer = await fetch(`${this.base}/${level}/${column}/${row}`, { credentials: 'same-origin', signal })
    if (answer.status === 404) this.lost()
    if (!answer.ok) throw new Error(`The tile was answered with ${answer.status}.`)
    return createImageBitmap(await answer.blob())
  }

  private forget(): void {
    for (const [key, bitmap] of this.kept) {
      if (this.kept.size <= KEPT) return
      bitmap.close()
      this.kept.delete(key)
    }
  }
}

function keyOf({ level, column, row }: Tile): string {
  return `${level}/${column}/${row}`
}
