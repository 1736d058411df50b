import { expect, test, vi } from 'vitest'
import { makeKeyHandler, matches, spoken } from './shortcuts'

const key = (k: string, extra: KeyboardEventInit = {}) => new KeyboardEvent('keydown', { key: k, bubbles: true, cancelable: true, ...extra })

test('a question mark works on keyboards with and without Shift; letters insist on theirs', () => {
  expect(matches('?', key('?', { shiftKey: true }))).toBe(true)
  expect(matches('?', key('?'))).toBe(true)
  expect(matches('mod+shift+z', key('Z', { ctrlKey: true, shiftKey: true }))).toBe(true)
  expect(matches('mod+z', key('Z', { ctrlKey: true, shiftKey: true }))).toBe(false)
})

test('two keys one after the other go to a page; too slow, or while typing, they do nothing', () => {
  const run = vi.fn()
  let time = 0
  const handler = makeKeyHandler(() => [{ id: 'go', label: 'Data sets', group: 'Go to', shortcut: 'g d', run }], () => time)
  handler(key('g'))
  handler(key('d'))
  expect(run).toHaveBeenCalledTimes(1)
  handler(key('g'))
  time = 2000
  handler(key('d'))
  expect(run).toHaveBeenCalledTimes(1)
  const input = document.body.appendChild(document.createElement('input'))
  input.addEventListener('keydown', handler)
  input.dispatchEvent(key('g'))
  input.dispatchEvent(key('d'))
  expect(run).toHaveBeenCalledTimes(1)
})

test('shortcuts are written as the person’s keyboard names them', () => {
  expect(spoken('mod+K', false)).toBe('Ctrl K')
  expect(spoken('mod+K', true)).toBe('⌘ K')
  expect(spoken('g d', false)).toBe('G then D')
})
