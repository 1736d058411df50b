import { describe, expect, it } from 'vitest'

import type { Shape } from '../geometry'
import { finished, pressed, pulled, released, shortened, type Drawing } from './drawing'
import { against, pictureAt, pictureOf } from './paint'
import { bringing, closeTo, fitted, kept, seenOf, toImage, toScreen, zoomed } from './view'

const SIZE = { width: 1000, height: 500 }
const WINDOW = { width: 600, height: 400 }

describe('the view', () => {
  it('fits the whole image in the middle', () => {
    const placing = fitted(SIZE, WINDOW)
    expect(placing.scale).toBeCloseTo(0.568)
    expect(toScreen(placing, { x: 500, y: 250 })).toEqual({ x: 300, y: 200 })
  })

  it('zooms about the pointer', () => {
    const before = fitted(SIZE, WINDOW)
    const at = { x: 150, y: 180 }
    const after = zoomed(before, 3, at, SIZE, WINDOW)
    expect(toImage(after, at).x).toBeCloseTo(toImage(before, at).x)
    expect(toImage(after, at).y).toBeCloseTo(toImage(before, at).y)
  })

  it('never loses the image', () => {
    const far = kept({ scale: 1, x: -5000, y: 5000 }, SIZE, WINDOW)
    expect(far.x + SIZE.width).toBeGreaterThan(0)
    expect(far.y).toBeLessThan(WINDOW.height)
  })

  it('brings a region into sight, and leaves the view alone if it is', () => {
    const placing = { scale: 2, x: 0, y: 0 }
    expect(bringing(placing, { x: 10, y: 10, width: 20, height: 20 }, SIZE, WINDOW)).toBe(placing)
    const part = { x: 800, y: 400, width: 50, height: 50 }
    const seen = seenOf(bringing(placing, part, SIZE, WINDOW), SIZE, WINDOW)
    expect(seen.x).toBeLessThanOrEqual(800)
    expect(seen.x + seen.width).toBeGreaterThanOrEqual(850)
    expect(seen.y + seen.height).toBeGreaterThanOrEqual(450)
    expect(closeTo(part, SIZE, WINDOW).scale).toBe(4)
  })
})

describe('drawing', () => {
  const first = (kind: 'rectangle' | 'polygon', x: number, y: number) => pressed(null, kind, { x, y }, SIZE, 5).drawing!

  it('a box by a drag', () => {
    const { made } = released(pulled(first('rectangle', 50, 50), { x: 10, y: 90 }, SIZE, false), 3)
    expect(made).toEqual({ kind: 'rectangle', x: 10, y: 50, width: 40, height: 40, rotation: 0 })
  })

  it('a box by two clicks', () => {
    const begun = released(first('rectangle', 50, 50), 3)
    expect(begun.made).toBeUndefined()
    expect(begun.drawing).toMatchObject({ clicks: true })
    expect(pressed(begun.drawing, 'rectangle', { x: 80, y: 70 }, SIZE, 5).made).toMatchObject({ width: 30, height: 20 })
  })

  it('a square with Shift, inside the image', () => {
    expect(pulled(first('rectangle', 50, 50), { x: 90, y: 60 }, SIZE, true).to).toEqual({ x: 90, y: 90 })
    expect(pulled(first('rectangle', 50, 50), { x: 2000, y: 60 }, SIZE, false).to).toEqual({ x: 1000, y: 60 })
  })

  it('a polygon closes at its first corner, by a double click or by Enter; not before its third', () => {
    let drawing: Drawing = first('polygon', 10, 10)
    for (const [x, y] of [[100, 10], [100, 100]] as const) drawing = pressed(drawing, 'polygon', { x, y }, SIZE, 5).drawing!
    expect(pressed(drawing, 'polygon', { x: 12, y: 12 }, SIZE, 5).made).toMatchObject({ points: [{ x: 10, y: 10 }, { x: 100, y: 10 }, { x: 100, y: 100 }] })
    expect(pressed(drawing, 'polygon', { x: 100, y: 100 }, SIZE, 5).made).toBeDefined()
    expect(finished(drawing).made).toBeDefined()
    const two = shortened(drawing)!
    expect(finished(two).made).toBeUndefined()
    expect(shortened(shortened(two)!)).toBeNull()
  })
})

describe('whom a point means', () => {
  const picture = (id: string, shape: Shape) => pictureOf(shape, { id, color: '#e11d48', title: '', dashed: false, ghost: false, chosen: false, fill: 0.2, width: 2 })
  const large = picture('large', { kind: 'rectangle', x: 0, y: 0, width: 400, height: 400, rotation: 0 })
  const small = picture('small', { kind: 'rectangle', x: 100, y: 100, width: 50, height: 50, rotation: 0 })

  it('is the smallest around it', () => {
    expect(pictureAt([small, large], { x: 120, y: 120 }, 5, false)?.id).toBe('small')
    expect(pictureAt([small, large], { x: 300, y: 120 }, 5, false)?.id).toBe('large')
    expect(pictureAt([small, large], { x: 900, y: 120 }, 5, false)).toBeNull()
  })

  it('is, while drawing, only whose edge it is on', () => {
    expect(pictureAt([small, large], { x: 120, y: 120 }, 5, true)).toBeNull()
    expect(pictureAt([small, large], { x: 101, y: 120 }, 5, true)?.id).toBe('small')
  })
})

it('text on a colour is black or white, whichever is readable', () => {
  expect(against('#facc15')).toBe('#000000')
  expect(against('#1d4ed8')).toBe('#ffffff')
})
