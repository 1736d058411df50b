import { describe, expect, it } from 'vitest'
import { pieces } from './marked'

const span = (start: number, end: number, label: string) => ({ start, end, label, score: 0.9, text: '' })

describe('a text with the spans that a model found', () => {
  it('is cut in characters, of which a browser counts some twice', () => {
    const cut = pieces('🙈 Anna in Bern', [span(2, 6, 'who'), span(10, 14, 'where')])
    expect(cut.map((piece) => [piece.text, piece.covers.map((one) => one.label)])).toEqual([
      ['🙈 ', []],
      ['Anna', ['who']],
      [' in ', []],
      ['Bern', ['where']],
    ])
  })
  it('shows each of several that overlap, and begins each once', () => {
    const cut = pieces('Rathaus Bern', [span(0, 12, 'house'), span(8, 12, 'place')])
    expect(cut.map((piece) => [piece.text, piece.covers.length, piece.begins.map((one) => one.label)])).toEqual([
      ['Rathaus ', 1, ['house']],
      ['Bern', 2, ['place']],
    ])
  })
  it('is whole without any, and empty when it is', () => {
    expect(pieces('nothing', [])).toEqual([{ text: 'nothing', covers: [], begins: [] }])
    expect(pieces('', [])).toEqual([])
  })
})
