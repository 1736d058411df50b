import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'

import type { LabelConfig, Region, Result } from '../editor'
import { SharedResult, saysTheSame } from './document'

const control = (name: string, type: string, per_region = false) => ({ name, to: 'image', type, tag: type, labels: [], per_region })
const config = { objects: [], layout: [], controls: [control('box', 'rectanglelabels'), control('kind', 'choices'), control('weight', 'rating', true)] } as unknown as LabelConfig
const box = (id: string, x = 1, label = 'Head'): Region => ({ id, from_name: 'box', to_name: 'image', type: 'rectanglelabels', value: { x, y: 1, width: 5, height: 5, rotation: 0, rectanglelabels: [label] }, origin: 'manual' })
const kind = (id: string, said: string): Region => ({ id, from_name: 'kind', to_name: 'image', type: 'choices', value: { choices: [said] } })
const weight = (id: string): Region => ({ id, from_name: 'weight', to_name: 'image', type: 'rating', value: { rating: 2 } })

function pair(begun: Result = []): [SharedResult, SharedResult] {
  const [a, b] = [new SharedResult(config), new SharedResult(config)]
  if (begun.length > 0) a.apply(begun, 'Begun', '')
  sync(a, b)
  return [a, b]
}

function sync(a: SharedResult, b: SharedResult): void {
  Y.applyUpdate(b.doc, Y.encodeStateAsUpdate(a.doc))
  Y.applyUpdate(a.doc, Y.encodeStateAsUpdate(b.doc))
}

const changed = (result: Result, id: string, value: object): Result => result.map((entry) => ('id' in entry && entry.id === id ? { ...entry, value: { ...entry.value, ...value } } : entry))

describe('a shared result', () => {
  it('merges two people’s regions, and two fields of one region', () => {
    const [a, b] = pair([box('one-region-1')])
    a.apply([...changed(a.read(), 'one-region-1', { x: 30 }), box('by-a-region')], 'Moved', '')
    b.apply([...changed(b.read(), 'one-region-1', { rectanglelabels: ['Tail'] }), box('by-b-region')], 'Named', '')
    sync(a, b)
    expect(a.read()).toEqual(b.read())
    expect(a.read().map((entry) => ('id' in entry ? entry.id : ''))).toEqual(expect.arrayContaining(['by-a-region', 'by-b-region']))
    expect(a.read()[0]).toMatchObject({ value: { x: 30, rectanglelabels: ['Tail'] } })
  })

  it('gives one answer of the item where two gave one, and lets a deletion win over a change', () => {
    const [a, b] = pair([box('one-region-1'), weight('one-region-1')])
    a.apply([kind('answer-of-a', 'cat')], 'Deleted, and said', '')
    b.apply([...changed(b.read(), 'one-region-1', { x: 60 }), kind('answer-of-b', 'dog')], 'Moved, and said', '')
    sync(a, b)
    expect(a.read()).toEqual(b.read())
    expect(a.read()).toHaveLength(1)
    // What is said of a region that somebody else deleted is not shown either.
    const [c, d] = pair([box('one-region-1')])
    c.apply([], 'Deleted', '')
    d.apply([...d.read(), weight('one-region-1')], 'Rated', '')
    sync(c, d)
    expect(d.read()).toEqual([])
  })

  it('undoes only one’s own changes, typing as one step, and keeps untouched entries the same objects', () => {
    const [a, b] = pair([box('one-region-1')])
    const first = a.read()[0]
    for (const x of [2, 3, 4]) a.apply([a.read()[0]!, box('by-a-region', x)], 'Moved', 'drag')
    b.apply([...b.read(), box('by-b-region')], 'Added', '')
    sync(a, b)
    expect(a.read()[0]).toBe(first)
    expect(a.undo()).toBe('Moved')
    expect(a.read().map((entry) => ('id' in entry ? entry.id : ''))).toEqual(['one-region-1', 'by-b-region'])
    expect(a.redo()).toBe('Moved')
    expect(a.read()).toHaveLength(3)
    sync(a, b)
    expect(a.read()).toEqual(b.read())
  })

  it('keeps the order in which things were made, and attributes beside their region', () => {
    const [a, b] = pair([box('one-region-1'), box('two-region-2')])
    a.apply([a.read()[0]!, weight('one-region-1'), a.read()[1]!], 'Rated', '')
    sync(a, b)
    expect(b.read().map((entry) => ('from_name' in entry ? entry.from_name : ''))).toEqual(['box', 'weight', 'box'])
  })

  it('leaves out what no editor could have written', () => {
    const [a, b] = pair([box('one-region-1')])
    const regions = a.doc.getMap('regions')
    regions.set('a', 5)
    regions.set('b', new Y.Map([['name', { id: 'b', from_name: 'nobody', to_name: 'image', type: 'x' }]]))
    regions.set('c', new Y.Map<unknown>([['name', { id: 'c', from_name: 'box', to_name: 'image', type: 'rectanglelabels' }], ['place', { x: 'far', y: NaN }]]))
    sync(a, b)
    expect(b.read()).toHaveLength(1)
    expect(saysTheSame(b.read(), [box('one-region-1')])).toBe(true)
    expect(saysTheSame(b.read(), [box('one-region-1', 2)])).toBe(false)
  })
})
