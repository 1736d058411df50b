/**
 * Which rows of a long list are on screen. Rows have one height, so this is arithmetic. Browsers refuse elements taller
 * than some 16 million pixels: beyond that the scrollbar stands for a longer list than its length (`scale`).
 */

export const MAX_HEIGHT = 12_000_000

export type Viewport = { scrollTop: number; height: number }
export type Visible = { first: number; last: number; offset: number }

export function scrollHeight(total: number, rowHeight: number): number {
  return Math.min(total * rowHeight, MAX_HEIGHT)
}

/** Rows [first, last) to draw, and how far down (in pixels of the scrolled content) the first one stands. */
export function visibleRows(view: Viewport, total: number, rowHeight: number, overscan = 8): Visible {
  const full = total * rowHeight
  const shown = scrollHeight(total, rowHeight)
  const range = Math.max(1, shown - view.height)
  const top = full > shown ? (Math.min(view.scrollTop, range) / range) * (full - view.height) : Math.min(view.scrollTop, Math.max(0, full - view.height))
  const first = Math.max(0, Math.floor(top / rowHeight) - overscan)
  const last = Math.min(total, Math.ceil((top + view.height) / rowHeight) + overscan)
  return { first, last, offset: first * rowHeight - top + view.scrollTop }
}

/** Where to scroll so that `row` is wholly in view; null when it is already. */
export function scrollTo(row: number, view: Viewport, total: number, rowHeight: number): number | null {
  const full = total * rowHeight
  const shown = scrollHeight(total, rowHeight)
  const range = Math.max(1, shown - view.height)
  const ratio = full > shown ? (full - view.height) / range : 1
  const top = view.scrollTop * ratio
  if (row * rowHeight < top) return (row * rowHeight) / ratio
  if ((row + 1) * rowHeight > top + view.height) return ((row + 1) * rowHeight - view.height) / ratio
  return null
}

/** Widths in pixels: fixed ones as they are, what is left shared among those that grow, never below their minimum. */
export function columnWidths(columns: { width?: number; grow?: number }[], available: number): number[] {
  const base = columns.map((c) => c.width ?? 140)
  const left = available - base.reduce((a, b) => a + b, 0)
  const shares = columns.map((c) => c.grow ?? 0)
  const sum = shares.reduce((a, b) => a + b, 0)
  if (left <= 0 || sum === 0) return base
  return base.map((w, i) => w + Math.floor((left * shares[i]!) / sum))
}

/** Columns [first, last) within the horizontal view; all of them while they are few. */
export function visibleColumns(widths: number[], scrollLeft: number, width: number, overscan = 2): { first: number; last: number; offset: number } {
  if (widths.length <= 24) return { first: 0, last: widths.length, offset: 0 }
  let x = 0
  let first = 0
  while (first < widths.length && x + widths[first]! <= scrollLeft) x += widths[first++]!
  let last = first
  let end = x
  while (last < widths.length && end < scrollLeft + width) end += widths[last++]!
  const from = Math.max(0, first - overscan)
  let offset = x
  for (let i = from; i < first; i += 1) offset -= widths[i]!
  return { first: from, last: Math.min(widths.length, last + overscan), offset }
}
