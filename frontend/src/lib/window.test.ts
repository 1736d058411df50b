import { describe, expect, it } from 'vitest'
import { near, within } from './window'

/** A hundred rows of a hundred steps, as they are laid out; each but those at the left hangs on the one before it, and one on a far one. */
const spots = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`s${n}`, { x: Math.floor(n / 100) * 190, y: (n % 100) * 78 }]))
const size = { width: 164, height: 64 }
const wire = (source: number, target: number) => ({ source: `s${source}`, target: `s${target}` })
const wires = [...Array.from({ length: 9_900 }, (_, n) => wire(n, n + 100)), wire(205, 9_999)]

describe('what is drawn of a large graph', () => {
  const room = { width: 1100, height: 300 }

  it('all that is in view is, and of the rest little', () => {
    const view = { x: -380, y: -390, zoom: 0.5 }
    const drawn = within(near(view, room), spots, size, wires)
    for (const [key, { x, y }] of Object.entries(spots)) {
      const [left, top] = [x * view.zoom + view.x, y * view.zoom + view.y]
      if (left > -82 && left < room.width && top > -32 && top < room.height) expect(drawn.has(key), key).toBe(true)
    }
    expect(drawn.size).toBeLessThan(1500)
  })

  it('a wire that leads out of view leads somewhere', () => {
    expect(within(near({ x: 0, y: 0, zoom: 0.5 }, room), spots, size, wires).has('s9999')).toBe(true)
  })

  it('one step that feeds ten thousand does not bring them all', () => {
    const fan = Array.from({ length: 9_999 }, (_, n) => wire(0, n + 1))
    expect(within({ x: -10, y: -10, width: 20, height: 20 }, spots, size, fan).size).toBeLessThan(400)
  })

  it('a small move changes nothing', () => {
    expect(near({ x: -410, y: -410, zoom: 1 }, room)).toEqual(near({ x: -430, y: -420, zoom: 1 }, room))
  })
})
