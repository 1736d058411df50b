import { expect, it } from 'vitest'
import type { Shard } from './live'
import { drawSquare, gridOf, LOOKS, squareAt, stepTo, tally, type Look } from './strip'

const shard = (status: Shard['status'], skip_reason = '') => ({ status, skip_reason }) as Shard

it('finds the square under the pointer and the one a key leads to, to the last of ten thousand', () => {
  const grid = gridOf(10_000, 1000)
  expect(grid).toEqual({ columns: 125, rows: 80, cell: 8 })
  expect(squareAt(grid, 10_000, 999, 639)).toBe(9_999)
  expect(squareAt(grid, 10_000, 1001, 3)).toBeNull()
  expect(squareAt(gridOf(3, 1000), 3, 100, 5)).toBeNull()
  expect([stepTo(grid, 10_000, 0, 'ArrowDown'), stepTo(grid, 10_000, 9_990, 'ArrowDown'), stepTo(grid, 10_000, 5, 'Home'), stepTo(grid, 10_000, 5, 'x')]).toEqual([125, 9_999, 0, null])
})

it('counts what was reused apart from what was skipped', () => {
  expect(tally([shard('skipped', 'cached'), shard('failed'), shard('succeeded'), shard('skipped', 'cancelled'), shard('failed')])).toEqual([['succeeded', 1], ['failed', 2], ['reused', 1], ['skipped', 1]])
})

it('draws every status in a shape of its own: colour is never the only cue', () => {
  const shapes = new Set<string>()
  for (const look of (Object.keys(LOOKS) as Look[]).filter((one) => one !== 'cancelled')) {
    const strokes: string[] = []
    const note = (name: string) => (...at: number[]) => strokes.push(`${name} ${at.join()}`)
    const pen = { fillRect: note('fill'), strokeRect: note('frame'), moveTo: note('move'), lineTo: note('line'), beginPath: () => 0, stroke: () => 0, fillStyle: '', strokeStyle: '', lineWidth: 1 }
    drawSquare(pen as never, look, 0, 0, 16, '#000', '#fff')
    shapes.add(strokes.join(';'))
  }
  expect(shapes.size).toBe(7)
})
