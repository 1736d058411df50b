import { expect, test } from 'vitest'
import { differing } from './differing'

const marked = (text: string, other: string) => text.slice(...differing(text, other))

test('what is another is marked as whole words, and nothing of what is the same', () => {
  expect(marked('about a mill and its miller', 'about a windmill and its miller')).toBe('mill')
  expect(marked('about a windmill and its miller', 'about a mill and its miller')).toBe('windmill')
  expect(marked('Ada met Bob.', 'Ada met Bob.')).toBe('')
  expect(marked('Ada met Bob and Eve.', 'Ada met Bob.')).toBe(' and Eve')
  expect(marked('', 'x')).toBe('')
  expect(marked('aaa', 'aa')).toBe('aaa')
  expect(marked('the same 😀 end', 'the same 😁 end')).toBe('😀')
})
