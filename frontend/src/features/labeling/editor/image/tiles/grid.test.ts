import { describe, expect, it } from 'vitest'

import { above, covering, levelFor, levelSize, placeOf, type Pyramid } from './grid'

const LARGE: Pyramid = { width: 12_000, height: 9001, tile: 512, levels: 6 }

describe('a picture in tiles', () => {
  it('shows its own pixels from 1:1 on, and never coarser than the screen', () => {
    expect([40, 1, 0.51, 0.5, 0.3, 0.1, 0.001].map((scale) => levelFor(LARGE, scale))).toEqual([0, 0, 0, 1, 1, 3, 5])
  })

  it('has levels of half the pixels, the last in one tile', () => {
    expect(levelSize(LARGE, 1)).toEqual({ width: 6000, height: 4501 })
    expect(levelSize(LARGE, 5)).toEqual({ width: 375, height: 282 })
  })

  it('is covered by tiles that end where it ends, the middle first', () => {
    const found = covering(LARGE, 0, { x: 11_000, y: 8700, width: 5000, height: 5000 })
    expect(found.every((tile) => tile.column >= 21 && tile.column <= 23 && tile.row >= 16 && tile.row <= 17)).toBe(true)
    expect(found).toHaveLength(6)
    expect(placeOf(LARGE, { level: 0, column: 23, row: 17 })).toEqual({ x: 11_776, y: 8704, width: 224, height: 297 })
    expect(covering(LARGE, 2, { x: 0, y: 0, width: 12_000, height: 9001 })[0]).toEqual({ level: 2, column: 2, row: 2 })
    expect(above({ level: 0, column: 23, row: 17 }, 2)).toEqual({ level: 2, column: 5, row: 4 })
  })
})
