/** What one text has and another has not. */
const WORD = /[\p{L}\p{N}]/u
const word = (text: string, at: number) => WORD.test(text[at] ?? '')
const half = (text: string, at: number, from: number) => ((text.charCodeAt(at) || 0) & 0xfc00) === from

/** Where `text` begins and ends to be another than `other`: whole words and whole characters, so that a mark can be read. */
export function differing(text: string, other: string): [begin: number, end: number] {
  const most = Math.min(text.length, other.length)
  let begin = 0
  while (begin < most && text[begin] === other[begin]) begin += 1
  if (begin === text.length && begin === other.length) return [begin, begin]
  let after = 0
  while (after < most - begin && text[text.length - 1 - after] === other[other.length - 1 - after]) after += 1
  let end = text.length - after
  const before = end > begin ? word(text, end - 1) : word(other, other.length - after - 1)
  if (before) while (word(text, end)) end += 1
  if (word(text, begin) || word(other, begin)) while (begin > 0 && word(text, begin - 1)) begin -= 1
  if (half(text, begin - 1, 0xd800)) begin -= 1
  if (half(text, end, 0xdc00)) end += 1
  return [begin, end]
}
