/** From a place in the document to an offset in the text, and back. Every piece of text says its own start (`data-start`). */

/** Null: the place is not in the text. */
export function offsetAt(root: HTMLElement, node: Node, offset: number): number | null {
  if (!root.contains(node)) return null
  if (node.nodeType === Node.TEXT_NODE) {
    const piece = node.parentElement?.closest<HTMLElement>('[data-start]')
    return piece ? Number(piece.dataset.start) + offset : null
  }
  const element = node as HTMLElement
  if (element.dataset.start !== undefined) return Number(element.dataset.start) + (offset > 0 ? (element.textContent?.length ?? 0) : 0)
  // Between elements: the start of what follows, else the end of what comes before.
  const after = element.childNodes[offset] as HTMLElement | undefined
  const next = after && (after.matches('[data-start]') ? after : after.querySelector<HTMLElement>('[data-start]'))
  if (next) return Number(next.dataset.start)
  const pieces = element.querySelectorAll<HTMLElement>('[data-start]')
  const last = pieces[pieces.length - 1]
  return last ? Number(last.dataset.start) + (last.textContent?.length ?? 0) : null
}

/** What is marked in the text, in order; null if nothing is, or not here. */
export function marked(root: HTMLElement): { start: number; end: number; collapsed: boolean } | null {
  const selection = window.getSelection()
  if (!selection?.anchorNode || !selection.focusNode) return null
  const [a, b] = [offsetAt(root, selection.anchorNode, selection.anchorOffset), offsetAt(root, selection.focusNode, selection.focusOffset)]
  return a === null || b === null ? null : { start: Math.min(a, b), end: Math.max(a, b), collapsed: a === b }
}

/** Where an offset is in the document. */
export function placeAt(root: HTMLElement, offset: number): { node: Node; offset: number } | null {
  const block = [...root.querySelectorAll<HTMLElement>('[data-block]')].findLast((one) => Number(one.dataset.block) <= offset)
  const piece = block && [...block.querySelectorAll<HTMLElement>('[data-start]')].findLast((one) => Number(one.dataset.start) <= offset)
  const node = piece?.firstChild
  return piece && node ? { node, offset: Math.min(offset - Number(piece.dataset.start), node.textContent?.length ?? 0) } : null
}

export function setCaret(root: HTMLElement, offset: number): void {
  const place = placeAt(root, offset)
  if (place) window.getSelection()?.collapse(place.node, place.offset)
}
