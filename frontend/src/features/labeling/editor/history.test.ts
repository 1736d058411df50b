import { expect, it } from 'vitest'

import { push, redo, startHistory, undo } from './history'

it('goes back and forth, and a new change ends what could be redone', () => {
  let history = push(push(startHistory('a'), 'b', 'to b'), 'c', 'to c')
  history = undo(undo(history))
  expect(history.present).toBe('a')
  expect(undo(history)).toBe(history)
  history = redo(history)
  expect(history.present).toBe('b')
  history = push(history, 'd', 'to d')
  expect(redo(history)).toBe(history)
  expect(undo(history).present).toBe('b')
})

it('keys pressed one after the other are one step, and a pause begins another', () => {
  let history = push(startHistory(0), 1, 'moved', 'keys:a', 1000)
  history = push(history, 2, 'moved', 'keys:a', 1500)
  history = push(history, 3, 'moved', 'keys:a', 4000)
  expect(undo(history).present).toBe(2)
  expect(undo(undo(history)).present).toBe(0)
})

it('what follows an undo is not joined to what came before it', () => {
  let history = push(startHistory(0), 1, 'moved', 'keys:a', 1000)
  history = push(undo(push(history, 2, 'moved', 'keys:a', 1100)), 5, 'moved', 'keys:a', 1200)
  expect(undo(history).present).toBe(0)
})

it('the same value is no change', () => {
  const history = startHistory('a')
  expect(push(history, 'a', 'nothing')).toBe(history)
})
