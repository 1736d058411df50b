import { describe, expect, it } from 'vitest'

import { blocks, chunks, lanes, segments, snapped, spansAt, stepped, trimmed } from './spans'

const TEXT = 'Angela Merkel met Müller-Lüdenscheid, 🚀 twice.'

describe('overlapping spans', () => {
  const spans = [
    { id: 'a', start: 0, end: 10 },
    { id: 'b', start: 5, end: 15 },
    { id: 'c', start: 6, end: 8 },
    { id: 'd', start: 20, end: 25 },
  ]

  it('cut the text where any begins or ends, and lose nothing', () => {
    const cut = segments(0, 30, spans)
    expect(cut.map((one) => [one.start, one.end, one.covers.map((cover) => cover.id).join('')])).toEqual([
      [0, 5, 'a'],
      [5, 6, 'ab'],
      [6, 8, 'abc'],
      [8, 10, 'ab'],
      [10, 15, 'b'],
      [15, 20, ''],
      [20, 25, 'd'],
      [25, 30, ''],
    ])
    expect(cut.flatMap((one) => one.begins)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('never share a lane', () => {
    expect(Object.fromEntries(lanes(spans))).toEqual({ a: 0, b: 1, c: 2, d: 0 })
  })

  it('are cut at the edges of a line that they cross', () => {
    expect(segments(8, 12, spans).map((one) => [one.start, one.end, one.begins.length])).toEqual([
      [8, 10, 0],
      [10, 12, 0],
    ])
  })

  it('a click means the shortest', () => {
    expect(spansAt(spans, 7).map((span) => span.id)).toEqual(['c', 'a', 'b'])
    expect(spansAt(spans, 15)).toEqual([])
  })
})

describe('what was marked', () => {
  it('loses the blanks at its ends', () => {
    expect(trimmed(TEXT, 6, 14)).toEqual({ start: 7, end: 13 })
    expect(trimmed(TEXT, 6, 7)).toBeNull()
  })

  it('never cuts a sign in two', () => {
    const rocket = TEXT.indexOf('🚀')
    expect(trimmed(TEXT, rocket + 1, rocket + 2)).toEqual({ start: rocket, end: rocket + 2 })
  })

  it('grows to whole words, hyphens and umlauts included', () => {
    const start = TEXT.indexOf('ller')
    const word = snapped(TEXT, start, start + 2)
    expect(TEXT.slice(word.start, word.end)).toBe('Müller-Lüdenscheid')
  })
})

describe('steps', () => {
  it('go over a sign outside of the basic plane at once', () => {
    const rocket = TEXT.indexOf('🚀')
    expect(stepped(TEXT, rocket, 1, 'character')).toBe(rocket + 2)
    expect(stepped(TEXT, rocket + 2, -1, 'character')).toBe(rocket)
  })

  it('go by words', () => {
    expect(stepped(TEXT, 0, 1, 'word')).toBe(6)
    expect(stepped(TEXT, 6, 1, 'word')).toBe(13)
    expect(stepped(TEXT, 13, -1, 'word')).toBe(7)
    expect(stepped(TEXT, 0, -1, 'word')).toBe(0)
  })
})

it('blocks and chunks are the whole text', () => {
  const text = `one\n\n${'word '.repeat(3000)}`
  const parts = blocks(text)
  expect(parts.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text)
  const last = parts.at(-1)!
  const pieces = chunks(text, last.start, last.end)
  expect(pieces.length).toBeGreaterThan(3)
  expect(pieces.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text.slice(last.start))
  expect(blocks('')).toEqual([{ start: 0, end: 0 }])
})
