import { describe, expect, it } from 'vitest'

import { control } from '../fixture'
import { columnsOf, entriesOf, listsOf, moved, put } from './ranking'

const LIST = [{ id: 'x', title: 'X', body: 'ex' }, { id: 7, title: 'Z', body: 'zed' }, { id: 'y', title: 'Y', body: 'why' }]
const PLAIN = control('rank', 'Ranker')
const SORTED = control('sort', 'Ranker', [], { buckets: [{ name: 'good', title: 'Good', default: false }, { name: 'bad', title: '', default: false }] })

describe('a list that is ranked', () => {
  it('is read from objects, from texts and from JSON text, and from nothing else', () => {
    expect(entriesOf(LIST).map((one) => one.id)).toEqual(['x', '7', 'y'])
    expect(entriesOf(JSON.stringify(['first', 'second']))).toEqual([{ id: '0', title: '', body: 'first' }, { id: '1', title: '', body: 'second' }])
    expect(entriesOf([{ model: 'm', n: 2 }])[0]!.body).toBe('model: m\nn: 2')
    for (const wrong of ['text', '[', null, 7, { a: 1 }]) expect(entriesOf(wrong)).toEqual([])
  })

  it('lies in the order that was said, what is left out at its end, what is unknown nowhere', () => {
    expect(listsOf(PLAIN, entriesOf(LIST), undefined)).toEqual({ rank: ['x', '7', 'y'] })
    expect(listsOf(PLAIN, entriesOf(LIST), { rank: ['y', 'gone', 'x'] })).toEqual({ rank: ['y', 'x', '7'] })
    expect(listsOf(SORTED, entriesOf(LIST), { good: ['y'], bad: ['y'] })).toEqual({ _: ['x', '7'], good: ['y'], bad: [] })
    expect(columnsOf(SORTED, 'All').map((column) => column.title)).toEqual(['All', 'Good', 'bad'])
    const first = { ...SORTED, buckets: [SORTED.buckets[0]!, { ...SORTED.buckets[1]!, default: true }] }
    expect(listsOf(first, entriesOf(LIST), null)).toEqual({ good: [], bad: ['x', '7', 'y'] })
  })

  it('is moved by one, to an end, to another bucket, and stays the same object where nothing moves', () => {
    const lists = listsOf(PLAIN, entriesOf(LIST), null)
    expect(moved(lists, '7', 'up').rank).toEqual(['7', 'x', 'y'])
    expect(moved(lists, 'x', 'down').rank).toEqual(['7', 'x', 'y'])
    expect(moved(lists, 'x', 'end').rank).toEqual(['7', 'y', 'x'])
    expect(moved(lists, 'x', 'up')).toBe(lists)
    expect(moved(lists, 'y', 'down')).toBe(lists)
    expect(moved(lists, 'x', 'right')).toBe(lists)
    expect(put(lists, 'x', 'rank', 2).rank).toEqual(['7', 'x', 'y'])
    expect(put(lists, 'x', 'rank', 1)).toBe(lists)
    const sorted = listsOf(SORTED, entriesOf(LIST), { good: ['y'] })
    expect(moved(sorted, 'x', 'right')).toEqual({ _: ['7'], good: ['x', 'y'], bad: [] })
    expect(moved(sorted, 'x', 'left')).toBe(sorted)
  })
})
