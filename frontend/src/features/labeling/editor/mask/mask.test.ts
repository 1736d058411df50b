import { describe, expect, it } from 'vitest'

import { holds, layBits, maskFrom, maskOf, movedMask, ofBits, packed, unpacked } from './mask'
import { stroke } from './stroke'
import vectors from './vectors.json'
import { flood, flooded, floodedInPieces, laidInto, reached, type Colours, type Reading } from './wand'

const SIZE = { width: 20, height: 12 }
const ALL = { x: 0, y: 0, ...SIZE }

function painted(radius: number, ...way: [number, number][]): Uint8Array {
  const bits = new Uint8Array(SIZE.width * SIZE.height)
  way.forEach(([x, y], at) => stroke(bits, SIZE, { x: way[Math.max(0, at - 1)]![0], y: way[Math.max(0, at - 1)]![1] }, { x, y }, radius, 1))
  return bits
}

/** Rows of text as colours: equal letters are equal colours, a and b are alike. */
function coloursOf(rows: readonly string[]): Colours {
  const shade = (letter: string) => ({ a: 100, b: 108, x: 200 })[letter] ?? 0
  return { width: rows[0]!.length, height: rows.length, row: (y) => Uint8ClampedArray.from([...rows[y]!].flatMap((letter) => [shade(letter), shade(letter), shade(letter), 255])) }
}

const shown = (bits: Uint8Array, width: number) => Array.from({ length: bits.length / width }, (_, y) => [...bits.subarray(y * width, (y + 1) * width)].map((bit) => (bit ? '#' : '.')).join(''))

describe('a mask', () => {
  it.each(vectors)('is packed byte for byte as Label Studio’s SDK packs it ($width × $height)', ({ width, height, edges, rle }) => {
    const mask = maskOf({ width, height }, edges)
    expect(packed(mask)).toEqual(rle)
    expect([...unpacked(rle, { width, height })!.edges]).toEqual(edges)
    const bits = new Uint8Array(width * height)
    layBits(bits, mask)
    expect([...ofBits(bits, mask, { x: 0, y: 0, width, height }).edges]).toEqual(edges)
  })

  it('that is cut short, or is of another size, is none', () => {
    const { rle, width, height } = vectors[3]!
    for (let length = 1; length < rle.length - 2; length += 7) expect(unpacked(rle.slice(0, length), { width, height })).toBeNull()
    expect(unpacked(rle, { width: width + 1, height })).toBeNull()
    expect(maskFrom('no list', SIZE).area).toBe(0)
  })

  it('knows its box, its pixels and what lies in it', () => {
    const mask = ofBits(painted(2, [5, 5], [10, 5]), SIZE, ALL)
    expect(mask.bounds).toEqual({ x: 3, y: 3, width: 9, height: 4 })
    expect(mask.area).toBe(painted(2, [5, 5], [10, 5]).reduce((sum, bit) => sum + bit, 0))
    expect([holds(mask, { x: 7.9, y: 5 }), holds(mask, { x: 2.9, y: 5 }), holds(mask, { x: -1, y: 5 }), holds(mask, { x: 99, y: 5 })]).toEqual([true, false, false, false])
  })

  it('is moved by whole pixels and cut at the edge of the image', () => {
    const mask = ofBits(painted(2, [5, 5]), SIZE, ALL)
    expect(movedMask(mask, 3.4, -1).bounds).toEqual({ ...mask.bounds, x: mask.bounds.x + 3, y: mask.bounds.y - 1 })
    expect([...movedMask(movedMask(mask, 3, 2), -3, -2).edges]).toEqual([...mask.edges])
    expect(movedMask(mask, -5, 0).area).toBe(mask.area / 2)
    expect(movedMask(maskOf(SIZE, [0, 240]), 0, 3).area).toBe(180)
  })
})

describe('a stroke', () => {
  it('marks the pixels whose middle the brush passes, whatever way it is cut into', () => {
    expect(shown(painted(2, [4, 4]), 20).slice(1, 7)).toEqual(['....................', '...##...............', '..####..............', '..####..............', '...##...............', '....................'])
    for (let y = 0; y < 12; y++)
      for (let x = 0; x < 20; x++) {
        const along = Math.min(Math.max(((x + 0.5 - 3) * 12 + (y + 0.5 - 2) * 6) / 180, 0), 1)
        const distance = Math.hypot(x + 0.5 - 3 - 12 * along, y + 0.5 - 2 - 6 * along)
        if (Math.abs(distance - 2.6) > 1e-9) expect(painted(2.6, [3, 2], [15, 8])[y * 20 + x], `${x} ${y}`).toBe(distance < 2.6 ? 1 : 0)
      }
    expect(painted(2.6, [3, 2], [9, 5], [15, 8])).toEqual(painted(2.6, [3, 2], [15, 8]))
  })

  it('of one pixel has no gaps, and outside the image nothing happens', () => {
    expect(shown(painted(0.5, [1, 1], [9, 1]), 20)[1]).toBe('.#########..........')
    expect(painted(3, [-50, -50], [-10, -50]).includes(1)).toBe(false)
    expect(stroke(new Uint8Array(240), SIZE, { x: 40, y: 40 }, { x: 41, y: 40 }, 3, 1).width).toBe(0)
  })
})

describe('the wand', () => {
  const rows = ['xxaab', 'xabxx', 'xxbxa', 'aaaaa']

  it('takes what hangs together and is alike', () => {
    expect(shown(flooded(coloursOf(rows), { x: 2, y: 0 }, 0).bits, 5)).toEqual(['..##.', '.....', '.....', '.....'])
    expect(shown(flooded(coloursOf(rows), { x: 2, y: 0 }, 8).bits, 5)).toEqual(['..###', '.##..', '..#.#', '#####'])
    expect(flooded(coloursOf(rows), { x: 2, y: 0 }, 0).part).toEqual({ x: 2, y: 0, width: 2, height: 1 })
  })

  it('pauses in a large fill', async () => {
    const comb = Uint8ClampedArray.from({ length: 1604 }, (_, at) => ((at >> 2) % 2 === 1 ? 0 : 255))
    const whole = new Uint8ClampedArray(1604).fill(255)
    const combs: Colours = { width: 401, height: 401, row: (y) => (y === 0 ? whole : comb) }
    expect([...flood(combs, { x: 0, y: 0 }, 0)].length).toBeGreaterThan(5)
    expect((await floodedInPieces(combs, { x: 0, y: 0 }, 0, () => false))?.bits.reduce((sum, bit) => sum + bit, 0)).toBe(401 + 400 * 201)
  })

  it('on a smaller image covers the full one, adding or taking out', () => {
    const bits = new Uint8Array(SIZE.width * SIZE.height)
    const small = { width: 5, height: 3 }
    const filled = { bits: Uint8Array.from({ length: 15 }, (_, at) => (at === 6 ? 1 : 0)), part: { x: 1, y: 1, width: 1, height: 1 } }
    laidInto(bits, SIZE, filled, small, 1)
    expect(ofBits(bits, SIZE, ALL).bounds).toEqual({ x: 4, y: 4, width: 4, height: 4 })
    laidInto(bits, SIZE, filled, small, 0)
    expect(bits.includes(1)).toBe(false)
  })

  it('fills a picture of which only parts can be read at its own pixels, as far as the fill reaches', async () => {
    const size = { width: 900, height: 700 }
    const inside = (x: number, y: number) => x >= 200 && x < 801 && y >= 300 && y < 307
    const parts: number[] = []
    const read: Reading = async (level, part) => {
      parts.push(part.width * part.height)
      return { ...part, row: (y) => Uint8ClampedArray.from({ length: 4 * part.width }, (_, at) => (inside((part.x + (at >> 2)) * 2 ** level, (part.y + y) * 2 ** level) ? 200 : 9)) }
    }
    const found = await reached(size, { x: 210, y: 303 }, 5, { x: 205, y: 301, width: 10, height: 4 }, 1_000_000, read, () => false)
    const bits = new Uint8Array(size.width * size.height)
    laidInto(bits, size, found!.filled, found!.colours, 1, found!.lying)
    expect(bits.reduce((sum, bit) => sum + bit, 0)).toBe(601 * 7)
    expect([bits[300 * 900 + 200], bits[306 * 900 + 800], bits[307 * 900 + 800]]).toEqual([1, 1, 0])
    expect(Math.max(...parts)).toBeLessThan(size.width * size.height)
    // Where so many pixels are not to be read, at a fraction of them.
    const coarse = await reached(size, { x: 210, y: 303 }, 5, { x: 205, y: 301, width: 10, height: 4 }, 50_000, read, () => false)
    expect(coarse!.lying.across).toBeGreaterThan(1)
  })
})
