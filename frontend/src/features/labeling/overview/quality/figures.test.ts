import { expect, test } from 'vitest'
import { confusionFigure, confusionOf, sorted, type Person, type Quality } from './figures'

const cell = (person: string, said: string, other: string, count: number) => ({ control: 'kind', person, said, other, count })
const found = { labels: [{ control: 'kind', label: 'cat', said: 4, agreement: 0.5 }], confusions: [cell('a', 'cat', 'dog', 3), cell('b', 'dog', 'cat', 3), cell('a', 'cat', '', 1), cell('b', '', 'cat', 1), cell('a', 'cat', 'cat', 2)] } as unknown as Quality

test('a confusion counts everybody, or one person; nothing comes last', () => {
  expect(confusionOf(found, 'kind', null)).toEqual({ labels: ['cat', 'dog', ''], counts: [[2, 3, 1], [3, 0, 0], [1, 0, 0]] })
  expect(confusionOf(found, 'kind', 'a').counts).toEqual([[2, 3, 1], [0, 0, 0], [0, 0, 0]])
  const [trace] = confusionFigure(confusionOf(found, 'kind', null), 'One').data
  expect(trace?.x).toEqual(['cat', 'dog', 'nothing'])
})

test('who has no figure comes last, whichever way one sorts', () => {
  const people = [{ person: 'a', right: 0.5 }, { person: 'b', right: null }, { person: 'c', right: 0.9 }] as Person[]
  expect(sorted(people, 'right', true, new Map()).map((one) => one.person)).toEqual(['c', 'a', 'b'])
  expect(sorted(people, 'right', false, new Map()).map((one) => one.person)).toEqual(['a', 'c', 'b'])
})
