import { describe, expect, it } from 'vitest'
import { layered } from './layers'

const size = { width: 160, height: 60 }
const gaps = { node: 14, layer: 26 }

function drawn(keys: string[], wires: [string, string][]) {
  return layered(new Map(keys.map((key) => [key, size])), wires, gaps)
}

describe('the places of a large graph', () => {
  it('every wire leads to the right, and no step lies on another', () => {
    let seed = 7
    const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647
    const keys = Array.from({ length: 3000 }, (_, n) => `s${n}`)
    const wires = keys.slice(1).flatMap((key, n) => Array.from({ length: 1 + Math.floor(chance() * 3) }, (): [string, string] => [`s${Math.floor(chance() * (n + 1))}`, key]))
    const spots = drawn(keys, wires)
    expect(spots.size).toBe(3000)
    for (const [source, target] of wires) expect(spots.get(source)?.x, `${source} to ${target}`).toBeLessThan(spots.get(target)?.x ?? 0)
    const columns = new Map<number, number[]>()
    for (const { x, y } of spots.values()) columns.set(x, [...(columns.get(x) ?? []), y])
    for (const column of columns.values()) {
      column.sort((a, b) => a - b)
      column.slice(1).forEach((y, n) => expect(y - (column[n] ?? 0)).toBeGreaterThanOrEqual(size.height + gaps.node - 0.001))
    }
  })

  it('parallel chains stay straight and do not cross', () => {
    const keys: string[] = ['root']
    const wires: [string, string][] = []
    for (let depth = 0; depth < 20; depth++) {
      for (let row = 0; row < 30; row++) {
        keys.push(`${depth}.${row}`)
        wires.push([depth === 0 ? 'root' : `${depth - 1}.${row}`, `${depth}.${row}`])
      }
    }
    const spots = drawn(keys, wires)
    for (let row = 0; row < 30; row++) expect(spots.get(`19.${row}`)?.y).toBeCloseTo(spots.get(`0.${row}`)?.y ?? NaN)
  })

  it('a wire from a step that is not drawn, or a circle, does no harm', () => {
    const spots = drawn(['a', 'b', 'c'], [['gone', 'a'], ['b', 'c'], ['c', 'b']])
    expect([...spots.values()].every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true)
    expect(spots.size).toBe(3)
  })
})
