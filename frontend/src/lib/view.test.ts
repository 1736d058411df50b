import { expect, test } from 'vitest'
import { firstView } from './view'

const step = (x: number, y = 0) => ({ x, y, width: 200, height: 60 })

test('a small graph is in the middle, no larger than life', () => {
  expect(firstView({ x: 100, y: 50, width: 400, height: 100 }, step(100), { width: 1000, height: 600 })).toEqual({ zoom: 1, x: 200, y: 200 })
})

test('a long pipeline on a phone begins at its first step, large enough to read', () => {
  const view = firstView({ x: -40, y: 0, width: 3400, height: 300 }, step(-40, 120), { width: 390, height: 700 })
  expect(view.zoom).toBe(0.5)
  expect(-40 * view.zoom + view.x).toBe(16)
  expect((120 + 30) * view.zoom + view.y).toBe(350)
})
