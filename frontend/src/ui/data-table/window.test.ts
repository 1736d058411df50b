import { expect, test } from 'vitest'
import { columnWidths, MAX_HEIGHT, scrollHeight, scrollTo, visibleColumns, visibleRows } from './window'

test('only what is on screen is drawn, from the first row to the very last', () => {
  const top = visibleRows({ scrollTop: 0, height: 400 }, 100_000, 40, 0)
  expect([top.first, top.last, top.offset]).toEqual([0, 10, 0])
  const end = visibleRows({ scrollTop: 100_000 * 40 - 400, height: 400 }, 100_000, 40, 0)
  expect(end.last).toBe(100_000)
})

test('lists taller than a browser allows still reach their last row', () => {
  const total = 5_000_000
  expect(scrollHeight(total, 40)).toBe(MAX_HEIGHT)
  const end = visibleRows({ scrollTop: MAX_HEIGHT - 400, height: 400 }, total, 40, 0)
  expect(end.last).toBe(total)
  // What is drawn stands inside the visible part of the scrolled content.
  expect(end.offset).toBeGreaterThanOrEqual(MAX_HEIGHT - 400 - 40)
})

test('moving by keyboard scrolls just enough to show the row', () => {
  const view = { scrollTop: 0, height: 400 }
  expect(scrollTo(5, view, 1000, 40)).toBeNull()
  expect(scrollTo(10, view, 1000, 40)).toBe(40)
  expect(scrollTo(0, { scrollTop: 200, height: 400 }, 1000, 40)).toBe(0)
})

test('growing columns share what is left and never shrink below their width', () => {
  expect(columnWidths([{ width: 100 }, { width: 100, grow: 1 }, { width: 100, grow: 2 }], 600)).toEqual([100, 200, 300])
  expect(columnWidths([{ width: 300 }, { width: 300, grow: 1 }], 390)).toEqual([300, 300])
})

test('of a thousand columns only the visible ones exist', () => {
  const seen = visibleColumns(Array.from({ length: 1000 }, () => 100), 5000, 800, 1)
  expect([seen.first, seen.last]).toEqual([49, 59])
  expect(seen.offset).toBe(4900)
})
