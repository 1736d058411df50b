import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'

import { maskFrom, maskOf, rleOf, united, without, type LabelConfig, type Mask, type Region, type Result } from '../editor'
import { SharedResult, saysTheSame } from './document'
import { packedMark, readMark } from './marks'

const control = (name: string, type: string, per_region = false) => ({ name, to: 'image', type, tag: type, labels: [], per_region })
const config = { objects: [], layout: [], controls: [control('box', 'rectanglelabels'), control('kind', 'choices'), control('weight', 'rating', true), control('area', 'brushlabels'), control('path', 'videorectangle')] } as unknown as LabelConfig
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

  describe('of a track', () => {
    const key = (frame: number, x = 1) => ({ frame, enabled: true, rotation: 0, x, y: 1, width: 5, height: 5, time: frame / 25 })
    const track = (...sequence: object[]): Region => ({ id: 'the-track-1', from_name: 'path', to_name: 'image', type: 'videorectangle', value: { framesCount: 100, duration: 4, sequence } })
    const frames = (shared: SharedResult) => shared.read().flatMap((entry) => ((entry as Region).value.sequence as { frame: number; x: number }[]).map(({ frame, x }) => [frame, x]))

    it('keeps the key frames that two people set at once, and which of them one took away', () => {
      const [a, b] = pair([track(key(1), key(20), key(40))])
      a.apply([track(key(1), key(10, 7), key(20, 8), key(40))], 'Moved', '')
      b.apply([track(key(1), key(20), key(30, 9))], 'Moved, and one deleted', '')
      sync(a, b)
      expect(frames(a)).toEqual([[1, 1], [10, 7], [20, 8], [30, 9]])
      expect(a.read()).toEqual(b.read())
      a.undo()
      sync(a, b)
      expect(frames(b)).toEqual([[1, 1], [20, 1], [30, 9]])
    })

    it('is gone where each took a different one of the last two away', () => {
      const [a, b] = pair([track(key(1), key(20))])
      a.apply([track(key(1))], 'One deleted', '')
      b.apply([track(key(20))], 'One deleted', '')
      sync(a, b)
      expect([a.read(), b.read()]).toEqual([[], []])
    })

    it('goes on from drafts that hold a list of them', () => {
      const [a, b] = pair()
      const old = new Y.Map<unknown>([['name', { id: 'the-track-1', from_name: 'path', to_name: 'image', type: 'videorectangle' }], ['said:framesCount', 100], ['said:duration', 4], ['said:sequence', [key(1), key(20)]], ['order', 1]])
      a.doc.getMap('regions').set('the-track-1', old)
      sync(a, b)
      expect(frames(b)).toEqual([[1, 1], [20, 1]])
      b.apply([track(key(20), key(50))], 'Moved', '')
      sync(a, b)
      expect(frames(a)).toEqual([[20, 1], [50, 1]])
    })
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

  describe('of a mask', () => {
    const SIZE = { width: 12_000, height: 9000 }
    /** Rows of pixels, as a stroke of a brush leaves them. */
    const stroke = (x: number, y: number, wide = 300, high = 60): Mask => maskOf(SIZE, Array.from({ length: high }, (_, row) => [(y + row) * SIZE.width + x, (y + row) * SIZE.width + x + wide]).flat())
    const region = (mask: Mask): Region => ({ id: 'the-mask-1', from_name: 'area', to_name: 'image', type: 'brushlabels', original_width: SIZE.width, original_height: SIZE.height, value: { format: 'rle', rle: rleOf(mask), brushlabels: ['Rust'] } })
    const maskIn = (shared: SharedResult): Mask => maskFrom((shared.read()[0] as Region).value.rle, SIZE)
    const paint = (shared: SharedResult, change: (mask: Mask) => Mask) => shared.apply([region(change(maskIn(shared)))], 'Painted', '')

    it('has what both painted and erased in it at once, in the same pixels too', () => {
      const [a, b] = pair([region(stroke(100, 100, 5000, 4000))])
      paint(a, (mask) => united(without(mask, stroke(200, 200)), stroke(7000, 50)))
      paint(b, (mask) => united(united(mask, stroke(7100, 80)), stroke(9000, 8000)))
      paint(b, (mask) => without(mask, stroke(300, 220)))
      sync(a, b)
      expect(maskIn(a)).toEqual(maskIn(b))
      const whole = united(united(without(without(stroke(100, 100, 5000, 4000), stroke(200, 200)), stroke(300, 220)), united(stroke(7000, 50), stroke(7100, 80))), stroke(9000, 8000))
      expect(maskIn(a)).toEqual(whole)
      expect(saysTheSame(a.read(), b.read())).toBe(true)
    })

    it('undoes one’s own stroke and leaves the other’s', () => {
      const [a, b] = pair([region(stroke(100, 100))])
      paint(a, (mask) => united(mask, stroke(2000, 100)))
      sync(a, b)
      paint(b, (mask) => united(mask, stroke(4000, 100)))
      sync(a, b)
      a.undo()
      sync(a, b)
      expect(maskIn(b)).toEqual(united(stroke(100, 100), stroke(4000, 100)))
      a.redo()
      sync(a, b)
      expect(maskIn(b)).toEqual(united(united(stroke(100, 100), stroke(2000, 100)), stroke(4000, 100)))
    })

    it('costs what a stroke changed, not what the mask is', () => {
      const [a, b] = pair([region(stroke(0, 0, 11_000, 8000))])
      const sent: number[] = []
      a.doc.on('update', (update: Uint8Array) => sent.push(update.length))
      paint(a, (mask) => without(mask, stroke(3000, 3000)))
      sync(a, b)
      expect(sent).toHaveLength(1)
      expect(sent[0]).toBeLessThan(600)
      expect((region(maskIn(b)).value.rle as number[]).length).toBeGreaterThan(20_000)
    })

    it('shows the same when the studio has folded strokes of long ago, undoes newer ones, and lays on them what it drew meanwhile', () => {
      const [a, b] = pair([region(stroke(0, 0))])
      const drawn = [stroke(1000, 0), stroke(2000, 0), stroke(3000, 0)]
      for (const one of drawn) paint(a, (mask) => united(mask, one))
      const away = united(without(maskIn(a), stroke(1000, 0)), stroke(4000, 0))
      sync(a, b)
      const held = b.doc.getMap('regions').get('the-mask-1') as Y.Map<unknown>
      const old = [...held.entries()].filter(([key, data]) => key.startsWith('mark:') && readMark(data, SIZE.width * SIZE.height)!.n < 3).map(([key]) => key)
      expect(old).toHaveLength(3)
      b.doc.transact(() => {
        held.set('mark:folded', packedMark({ n: 0, add: drawn.slice(0, 2).reduce(united, stroke(0, 0)).edges, cut: [] }))
        for (const key of old) held.delete(key)
      })
      paint(a, () => away) // its line was broken
      sync(a, b)
      expect([maskIn(a), maskIn(b)]).toEqual([away, away])
      a.undo()
      a.undo()
      sync(a, b)
      expect(maskIn(b), 'the newest two are undone').toEqual(united(stroke(0, 0), united(drawn[0]!, drawn[1]!)))
      const left = maskIn(b)
      expect([a.undo(), a.undo()], 'those that are folded stay, and nothing older is undone in their place').toEqual([undefined, undefined])
      sync(a, b)
      expect([maskIn(a), maskIn(b)]).toEqual([left, left])
      expect(a.canUndo, 'that the mask was begun').toBe(true)
    })

    it('goes on from drafts that hold its bytes, and leaves out what is no mark', () => {
      const [a, b] = pair()
      const old = new Y.Map<unknown>([['name', { id: 'the-mask-1', from_name: 'area', to_name: 'image', type: 'brushlabels', labels: ['Rust'] }], ['said:format', 'rle'], ['said:rle', [...rleOf(stroke(5, 5))]], ['also:original_width', SIZE.width], ['also:original_height', SIZE.height], ['order', 1]])
      a.doc.getMap('regions').set('the-mask-1', old)
      sync(a, b)
      paint(b, (mask) => united(mask, stroke(500, 500)))
      for (const [n, data] of [5, 'x', Uint8Array.of(1, 2, 200), Uint8Array.of(1, 9, 1), Uint8Array.from({ length: 40 }, () => 255)].entries()) (b.doc.getMap('regions').get('the-mask-1') as Y.Map<unknown>).set(`mark:bad${n}`, data)
      sync(a, b)
      expect(maskIn(a)).toEqual(united(stroke(5, 5), stroke(500, 500)))
    })

    it('is written as the studio reads it', () => {
      const bytes = packedMark({ n: 3, add: [5, 200, 40_000, 107_999_999], cut: [7, 9] })
      expect([...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')).toBe('030405c301f8b602bfadbd330702')
      expect(readMark(bytes, 108_000_000)).toEqual({ n: 3, add: [5, 200, 40_000, 107_999_999], cut: [7, 9] })
      expect(readMark(bytes, 107_999_998)).toBeNull()
    })
  })
})
