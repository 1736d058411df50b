/**
 * A mask in a shared draft: not its pixels but what was done to them, each stroke a value of its own that nobody else writes, so that it
 * costs what it changed, and two people's strokes are both there. `backend/labeling/marks.py` is the same.
 *
 * A mark is bytes: numbers of seven bits a byte, the last byte of each below 128. They are: its place in the order, how many edges it adds,
 * then the edges that it adds and those that it cuts, each as its distance from the one before.
 */
import { maskOf, united, without, type Mask } from '../editor'

type Size = { readonly width: number; readonly height: number }

export interface Mark {
  /** Marks are applied in this order; of the same number, in that of their keys. */
  readonly n: number
  readonly add: ArrayLike<number>
  readonly cut: ArrayLike<number>
}

const MOST_PIXELS = 160_000_000

export function packedMark({ n, add, cut }: Mark): Uint8Array {
  const bytes: number[] = []
  const push = (value: number) => {
    for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
    bytes.push(value)
  }
  push(n)
  push(add.length)
  for (const edges of [add, cut]) for (let at = 0; at < edges.length; at++) push(edges[at]! - (at > 0 ? edges[at - 1]! : 0))
  return Uint8Array.from(bytes)
}

/** Null for what is no mark of a picture of so many pixels. */
export function readMark(data: unknown, pixels: number): Mark | null {
  if (!(data instanceof Uint8Array)) return null
  const numbers: number[] = []
  let [value, scale] = [0, 1]
  for (const byte of data) {
    value += (byte % 128) * scale
    scale *= 128
    if (value > pixels * 2) return null
    if (byte >= 128) continue
    numbers.push(value)
    ;[value, scale] = [0, 1]
  }
  const [n, count] = numbers
  if (scale !== 1 || n === undefined || count === undefined || count > numbers.length - 2) return null
  const [add, cut] = [numbers.slice(2, 2 + count), numbers.slice(2 + count)]
  return [add, cut].every((edges) => ascending(edges, pixels)) ? { n, add, cut } : null
}

/** Turns distances into edges; whether they are edges of so many pixels. */
function ascending(edges: number[], pixels: number): boolean {
  for (let at = 1; at < edges.length; at++) {
    if (edges[at] === 0) return false
    edges[at]! += edges[at - 1]!
  }
  return edges.length % 2 === 0 && (edges.at(-1) ?? 0) <= pixels
}

/** The size of the picture that an entry of a mask names; null where it names none. */
export function pictureOf(entry: Readonly<Record<string, unknown>>): Size | null {
  const [width, height] = [entry.original_width, entry.original_height].map(Number)
  return Number.isInteger(width) && Number.isInteger(height) && width! > 0 && height! > 0 && width! * height! <= MOST_PIXELS ? { width: width!, height: height! } : null
}

export interface Laid {
  /** The marks that are in it, in their order. */
  readonly keys: readonly string[]
  readonly last: number
  readonly base: Mask
  readonly mask: Mask
}

/** All marks in their order, on what was there before marks were kept. `before`: as it was, of which only later marks are applied. */
export function laid(base: Mask, marks: ReadonlyMap<string, unknown>, before?: Laid): Laid {
  const read = [...marks].flatMap(([key, data]) => {
    const mark = readMark(data, base.width * base.height)
    return mark ? [{ key, ...mark }] : []
  })
  read.sort((a, b) => a.n - b.n || (a.key < b.key ? -1 : 1))
  const keys = read.map(({ key }) => key)
  const goesOn = before && before.base === base && before.keys.every((key, at) => key === keys[at])
  let mask = goesOn ? before.mask : base
  for (const { add, cut } of goesOn ? read.slice(before.keys.length) : read) {
    if (add.length > 0) mask = mask.edges.length > 0 ? united(mask, maskOf(base, add)) : maskOf(base, add)
    if (cut.length > 0) mask = without(mask, maskOf(base, cut))
  }
  return { keys, last: read.at(-1)?.n ?? 0, base, mask }
}
