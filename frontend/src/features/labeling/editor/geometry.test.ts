import { describe, expect, it } from 'vitest'

import { boundsOf, clamped, hull, isInside, meet, moved, outline, pushedInside, resized, rotate, shapeOf, valueOf, withoutPoint, withPoint, type Shape } from './geometry'

const SIZE = { width: 200, height: 100 }
const BOX: Shape = { kind: 'rectangle', x: 20, y: 10, width: 40, height: 20, rotation: 0 }

describe('percent and pixels', () => {
  it('go back and forth without a loss', () => {
    const values = [
      ['rectangle', { x: 10, y: 20, width: 30, height: 40, rotation: 15 }],
      ['ellipse', { x: 50, y: 50, radiusX: 10, radiusY: 20, rotation: 0 }],
      ['polygon', { points: [[0, 0], [50, 0], [25, 75]], closed: true }],
      ['keypoint', { x: 12.5, y: 75, width: 0.5 }],
    ] as const
    for (const [kind, value] of values) expect(valueOf(shapeOf(kind, value, SIZE), SIZE)).toEqual(value)
  })

  it('say rotations as 0 to 360 degrees', () => {
    expect(valueOf({ ...BOX, rotation: -90 }, SIZE)).toMatchObject({ rotation: 270 })
  })
})

describe('rotation', () => {
  it('is clockwise on the screen', () => {
    const turned = rotate({ x: 10, y: 0 }, { x: 0, y: 0 }, 90)
    expect(turned.x).toBeCloseTo(0)
    expect(turned.y).toBeCloseTo(10)
  })

  it('of a box is about its top left corner', () => {
    const corners = outline({ ...BOX, rotation: 90 })
    expect(corners[0]).toEqual({ x: 20, y: 10 })
    expect(corners[1]!.x).toBeCloseTo(20)
    expect(corners[1]!.y).toBeCloseTo(50)
  })

  it('of an ellipse widens its upright box', () => {
    const around = hull({ kind: 'ellipse', x: 100, y: 50, radiusX: 30, radiusY: 10, rotation: 90 })
    expect(around.width).toBeCloseTo(20)
    expect(around.height).toBeCloseTo(60)
  })
})

describe('the image holds its regions', () => {
  it('an upright box is cut at the edge', () => {
    expect(clamped({ ...BOX, x: -10, y: 90 }, SIZE)).toEqual({ kind: 'rectangle', x: 0, y: 90, width: 30, height: 10, rotation: 0 })
  })

  it('a turned box is pushed in, as it is', () => {
    const pushed = clamped({ ...BOX, rotation: 90 }, SIZE)
    const around = hull(pushed)
    expect(around.x).toBeGreaterThanOrEqual(-1e-9)
    expect(pushed).toMatchObject({ width: 40, height: 20, rotation: 90 })
  })

  it('a turned box larger than the image is shrunk', () => {
    const around = hull(clamped({ kind: 'rectangle', x: 0, y: 0, width: 300, height: 300, rotation: 45 }, SIZE))
    expect(around.width).toBeLessThanOrEqual(200.001)
    expect(around.height).toBeLessThanOrEqual(100.001)
  })

  it('what is dragged out stays at the edge, at its size', () => {
    expect(pushedInside(moved(BOX, 500, -500), SIZE)).toEqual({ ...BOX, x: 160, y: 0 })
  })

  it('points of a polygon are cut', () => {
    expect(clamped({ kind: 'polygon', points: [{ x: -5, y: 5 }, { x: 300, y: 5 }, { x: 10, y: 200 }] }, SIZE)).toEqual({ kind: 'polygon', points: [{ x: 0, y: 5 }, { x: 200, y: 5 }, { x: 10, y: 100 }] })
  })
})

describe('hits', () => {
  it('tell edge, inside and outside apart', () => {
    expect(meet(BOX, { x: 21, y: 20 }, 3)).toBe('edge')
    expect(meet(BOX, { x: 40, y: 20 }, 3)).toBe('inside')
    expect(meet(BOX, { x: 90, y: 20 }, 3)).toBeNull()
  })

  it('follow a turned box, not its upright one', () => {
    const turned: Shape = { ...BOX, x: 100, y: 20, rotation: 45 }
    const around = hull(turned)
    expect(meet(turned, { x: around.x + 1, y: around.y + 1 }, 1)).toBeNull()
  })

  it('a hollow polygon has no inside in its dent', () => {
    const dented = [{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 10, y: 10 }, { x: 5, y: 2 }, { x: 0, y: 10 }]
    expect(isInside({ x: 5, y: 8 }, dented)).toBe(false)
    expect(isInside({ x: 1, y: 5 }, dented)).toBe(true)
  })
})

it('sizes by keys never below a pixel, a polygon about its top left', () => {
  expect(resized(BOX, -100, 5)).toMatchObject({ width: 1, height: 25, x: 20 })
  const polygon: Shape = { kind: 'polygon', points: [{ x: 10, y: 10 }, { x: 30, y: 10 }, { x: 30, y: 30 }] }
  expect(boundsOf(outline(resized(polygon, 20, 0)))).toEqual({ x: 10, y: 10, width: 40, height: 20 })
})

it('a polygon takes points on its edges and keeps three', () => {
  const three = [{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 0, y: 10 }]
  expect(withPoint(three, 2, { x: 0, y: 5 })).toHaveLength(4)
  expect(withoutPoint(three, 0)).toBe(three)
})
