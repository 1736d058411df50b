import { describe, expect, it } from 'vitest'

import { tableOf, wordsOf } from './table'

describe('a table', () => {
  it('shows an object, JSON text, a list of objects, and the whole row where no column is called so', () => {
    const data = { about: { a: 1 }, text: '{"b": null}', list: [{ a: 1 }, { b: 2 }, 'no'], word: 'row' }
    expect(tableOf(data, 'about')).toEqual({ fields: { a: 1 } })
    expect(tableOf(data, 'text')).toEqual({ fields: { b: null } })
    expect(tableOf(data, 'list')).toEqual({ columns: ['a', 'b'], rows: [{ a: 1 }, { b: 2 }] })
    expect(tableOf(data, 'row')).toEqual({ fields: data })
    expect(tableOf({ row: 'a text' }, 'row')).toBeNull()
    expect(tableOf(data, 'word')).toBeNull()
  })

  it('says nothing of nothing, and nested values on lines of their own', () => {
    expect([wordsOf(null), wordsOf(''), wordsOf(0), wordsOf(false), wordsOf(1234.5), wordsOf('plain')]).toEqual(['', '', '0', 'false', '1,234.5', 'plain'])
    expect(wordsOf('{"a": [1]}')).toBe('{\n  "a": [\n    1\n  ]\n}')
  })
})
