/** Spans of a text: UTF-16 offsets, end exclusive. Overlaps are allowed; drawing cuts the text where any span begins or ends. */

export interface Span {
  readonly id: string
  readonly start: number
  readonly end: number
}

export interface Segment {
  readonly start: number
  readonly end: number
  /** Spans that cover it, with the lane in which each is underlined. */
  readonly covers: readonly { readonly id: string; readonly lane: number }[]
  /** Spans that begin here: their labels are shown before it. */
  readonly begins: readonly string[]
}

/** Each span's lane, such that spans that overlap never share one; longer ones lie lower. */
export function lanes(spans: readonly Span[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  const free: number[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    let lane = free.findIndex((end) => end <= span.start)
    if (lane === -1) lane = free.length
    free[lane] = span.end
    found.set(span.id, lane)
  }
  return found
}

/** The pieces of [from, to) between the edges of the spans; together they are the whole of it. */
export function segments(from: number, to: number, spans: readonly Span[], inLane: ReadonlyMap<string, number> = lanes(spans)): Segment[] {
  const here = spans.filter((span) => span.start < to && span.end > from)
  const cuts = [...new Set([from, to, ...here.flatMap((span) => [Math.max(from, span.start), Math.min(to, span.end)])])].sort((a, b) => a - b)
  return cuts.slice(0, -1).map((start, index) => {
    const end = cuts[index + 1]!
    const covers = here.filter((span) => span.start <= start && span.end >= end).map((span) => ({ id: span.id, lane: inLane.get(span.id) ?? 0 }))
    return { start, end, covers: covers.sort((a, b) => a.lane - b.lane), begins: here.filter((span) => span.start === start).map((span) => span.id) }
  })
}

const LONGEST_BLOCK = 4000

/** Where a text is cut into blocks that are drawn apart: after each line end, and within very long lines after a blank. */
export function blocks(text: string): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  let start = 0
  while (start < text.length) {
    const line = text.indexOf('\n', start)
    const end = line === -1 ? text.length : line + 1
    found.push({ start, end })
    start = end
  }
  return found.length > 0 ? found : [{ start: 0, end: 0 }]
}

/** Pieces of one long line, each at most 4,000 characters unless a word is longer; cut after blanks only. */
export function chunks(text: string, start: number, end: number): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  while (end - start > LONGEST_BLOCK) {
    const blank = text.lastIndexOf(' ', start + LONGEST_BLOCK)
    const cut = blank > start ? blank + 1 : whole(text, start + LONGEST_BLOCK)
    found.push({ start, end: cut })
    start = cut
  }
  return [...found, { start, end }]
}

/** Not between the two halves of a surrogate pair. */
export function whole(text: string, offset: number): number {
  const code = text.charCodeAt(offset)
  return code >= 0xdc00 && code <= 0xdfff && offset > 0 ? offset - 1 : offset
}

/** Without blanks at its ends; null if nothing is left. */
export function trimmed(text: string, start: number, end: number): { start: number; end: number } | null {
  while (start < end && /\s/.test(text[start]!)) start++
  while (end > start && /\s/.test(text[end - 1]!)) end--
  return start < end ? { start: whole(text, start), end: end < text.length ? whole(text, end) : end } : null
}

const WORD = /[\p{L}\p{N}\p{M}_'’-]/u

function isWord(text: string, offset: number): boolean {
  const at = text.codePointAt(whole(text, offset))
  return at !== undefined && WORD.test(String.fromCodePoint(at))
}

/** Grown to whole words (letters, digits, marks, hyphens and apostrophes inside). */
export function snapped(text: string, start: number, end: number): { start: number; end: number } {
  while (start > 0 && start < text.length && isWord(text, start) && isWord(text, start - 1)) start--
  while (end > 0 && end < text.length && isWord(text, end - 1) && isWord(text, end)) end++
  return { start, end }
}

/** The next edge of a character or of a word, in a direction. */
export function stepped(text: string, offset: number, by: 1 | -1, unit: 'character' | 'word'): number {
  const inside = (at: number) => at >= 0 && at < text.length
  const next = (at: number) => {
    const moved = Math.min(Math.max(at + by, 0), text.length)
    const code = text.charCodeAt(moved)
    return code >= 0xdc00 && code <= 0xdfff ? moved + by : moved
  }
  if (unit === 'character') return next(offset)
  const looked = (at: number) => (by === 1 ? at : at - 1)
  let at = offset
  while (inside(looked(at)) && !isWord(text, looked(at))) at = next(at)
  while (inside(looked(at)) && isWord(text, looked(at))) at = next(at)
  return at
}

/** The spans at an offset, the shortest first: a click means the most particular one. */
export function spansAt(spans: readonly Span[], offset: number): Span[] {
  return spans.filter((span) => span.start <= offset && offset < span.end).sort((a, b) => a.end - a.start - (b.end - b.start))
}
