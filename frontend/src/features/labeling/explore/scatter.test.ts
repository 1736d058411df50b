import { describe, expect, it } from 'vitest'
import { carried, inside, nearest, onCanvas, whole, type Cloud } from './scatter'

const cloud: Cloud = { x: Float32Array.of(0, 10, 5), y: Float32Array.of(0, 10, 5), color: new Uint8Array(12), size: new Float32Array(3) }

describe('a map of points', () => {
  it('shows all of them within its margins, the higher ones above', () => {
    const view = whole(cloud, 400, 300)
    const places = [...cloud.x].map((x, n) => onCanvas(x, cloud.y[n]!, view))
    for (const [x, y] of places) {
      expect(x).toBeGreaterThan(0)
      expect(x).toBeLessThan(400)
      expect(y).toBeGreaterThan(0)
      expect(y).toBeLessThan(300)
    }
    expect(places[1]![1]).toBeLessThan(places[0]![1])
  })

  it('is carried to where drawing it anew would put it', () => {
    const [drawn, wanted, at] = [{ x: 30, y: 200, scale: 8 }, { x: -55, y: 310, scale: 12 }, [100, 75] as const]
    const [dx, dy, by] = carried(drawn, wanted, at).match(/-?[\d.]+/g)!.map(Number) as [number, number, number]
    for (const [n, x] of [...cloud.x].entries()) {
      const [before, after] = [onCanvas(x, cloud.y[n]!, drawn), onCanvas(x, cloud.y[n]!, wanted)]
      expect((before[0] + at[0]) * by + dx).toBeCloseTo(after[0] + at[0], 6)
      expect((before[1] + at[1]) * by + dy).toBeCloseTo(after[1] + at[1], 6)
    }
  })

  it('finds the point under the pointer, and none where there is none', () => {
    const view = whole(cloud, 400, 300)
    const [x, y] = onCanvas(5, 5, view)
    expect(nearest(cloud, view, x + 3, y - 3)).toBe(2)
    expect(nearest(cloud, view, x + 40, y - 3)).toBe(-1)
  })

  it('knows what lies inside a line, also one that turns back', () => {
    const bay: [number, number][] = [[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]]
    expect(inside(2, 3, bay)).toBe(true)
    expect(inside(5, 6, bay)).toBe(false)
    expect(inside(12, 3, bay)).toBe(false)
  })
})
