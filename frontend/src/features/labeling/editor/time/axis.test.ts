import { describe, expect, it } from 'vitest'
import { fitted, kept, showing, ticks, timeAt, xOf, zoomed } from './axis'

describe('the axis of time', () => {
  it('keeps the second under the pointer while it zooms, and never leaves the sound', () => {
    let axis = fitted(1000, 60)
    for (const by of [2, 3, 0.5, 8]) {
      const before = timeAt(axis, 400)
      axis = zoomed(axis, by, 400, 60)
      expect(timeAt(axis, 400)).toBeCloseTo(before, 6)
    }
    axis = zoomed(axis, 1e-6, 0, 60)
    expect(axis.from).toBeCloseTo(0, 9)
    expect(timeAt(axis, axis.width)).toBeCloseTo(60, 9)
    expect(kept({ ...axis, scale: 50, from: 90 }, 60).from).toBe(40)
  })

  it('shows what is asked for, and stays where it is seen', () => {
    const axis = kept({ from: 10, scale: 100, width: 1000 }, 600)
    expect(showing(axis, 12, 14, 600)).toBe(axis)
    const there = showing(axis, 300, 302, 600)
    expect(xOf(there, 300)).toBeGreaterThan(0)
    expect(xOf(there, 302)).toBeLessThan(1000)
    const whole = showing(axis, 100, 160, 600, true)
    expect(xOf(whole, 100)).toBeGreaterThan(0)
    expect(xOf(whole, 160)).toBeLessThan(1000)
  })

  it('has lines that can be told apart', () => {
    for (const scale of [0.1, 3, 50, 1000, 4000]) {
      const found = ticks({ from: 0.3, scale, width: 900 })
      for (const [at, time] of found.times.entries()) if (at > 0) expect((time - found.times[at - 1]!) * scale).toBeGreaterThan(80)
    }
  })
})
