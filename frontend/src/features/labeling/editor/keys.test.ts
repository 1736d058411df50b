import { describe, expect, it } from 'vitest'

import { control, schema } from './fixture'
import { bindings, boundBy, keyFor, matches, tools, type Press } from './keys'

const press = (key: string, more: Partial<Press> = {}): Press => ({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more })

describe('keys of a schema', () => {
  it('are 1 to 9, 0, then letters that no command uses', () => {
    const names = Array.from({ length: 14 }, (_, index) => `label ${index}`)
    expect(bindings(schema('Image', control('box', 'RectangleLabels', names))).map((bound) => bound.key)).toEqual([...'1234567890qwet'])
  })

  it('a label’s own hotkey is kept, and given to no other', () => {
    const box = control('box', 'RectangleLabels', ['Car', 'Person', 'Dog'])
    const own = { ...box, labels: box.labels.map((label, index) => (index === 2 ? { ...label, hotkey: '1' } : index === 1 ? { ...label, hotkey: 'P' } : label)) }
    const bound = bindings(schema('Image', own))
    expect(['Car', 'Person', 'Dog'].map((label) => keyFor(bound, 'box', label))).toEqual(['2', 'p', '1'])
  })

  it('no key is given twice, however many labels there are', () => {
    const many = Array.from({ length: 60 }, (_, index) => `choice ${index}`)
    const keys = bindings(schema('Text', control('a', 'Choices', many), control('b', 'TextArea'), control('c', 'Rating', [], { maximum: 5 }))).map((bound) => bound.key)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.slice(-5)).toEqual(['alt+1', 'alt+2', 'alt+3', 'alt+4', 'alt+5'])
  })

  it('tools come from what the schema draws', () => {
    expect(tools(schema('Image', control('area', 'PolygonLabels', ['Road']), control('box', 'RectangleLabels', ['Car'])), 'it')).toEqual([
      { kind: 'polygon', key: 'p' },
      { kind: 'rectangle', key: 'b' },
    ])
  })
})

describe('a press', () => {
  it('of Command is one of Control; Shift counts for letters and names, not for signs', () => {
    expect(matches(press('z', { metaKey: true }), 'ctrl+z')).toBe(true)
    expect(matches(press('Z', { ctrlKey: true, shiftKey: true }), 'ctrl+z')).toBe(false)
    expect(matches(press('Z', { ctrlKey: true, shiftKey: true }), 'ctrl+shift+z')).toBe(true)
    expect(matches(press('?', { shiftKey: true }), '?')).toBe(true)
    expect(matches(press('Tab', { shiftKey: true }), 'Tab')).toBe(false)
    expect(matches(press('+', { shiftKey: true }), '+')).toBe(true)
  })

  it('on a Cyrillic board is known by its place', () => {
    expect(matches(press('й', { code: 'KeyQ' }), 'q')).toBe(true)
    expect(matches(press('я', { code: 'KeyZ', ctrlKey: true }), 'ctrl+z')).toBe(true)
  })

  it('with Shift chooses a label without naming the selection', () => {
    const bound = bindings(schema('Image', control('box', 'RectangleLabels', ['Car', 'Person'])))
    expect(boundBy(press('2'), bound)).toMatchObject({ bound: { value: 'Person' }, only: false })
    expect(boundBy(press('"', { code: 'Digit2', shiftKey: true }), bound)).toMatchObject({ bound: { value: 'Person' }, only: true })
    expect(boundBy(press('x'), bound)).toBeNull()
  })
})
