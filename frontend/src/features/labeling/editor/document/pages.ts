/** Which page of a document a region lies on. */
import { objectOf } from '../config'
import { isRelation, type Entry } from '../result'
import type { EditorStore } from '../store'

/** What a new region of an object says of its page: nothing where there are no pages. */
export function onPage(editor: EditorStore, object: string): { item_index?: number } {
  return objectOf(editor.config, object)?.tag === 'Pdf' ? { item_index: editor.state.page } : {}
}

/** Copies lie on the page that is seen. */
export function movedToPage(editor: EditorStore, entries: readonly Entry[]): Entry[] {
  return entries.map((entry) => (isRelation(entry) || entry.item_index === undefined ? entry : { ...entry, item_index: editor.state.page }))
}
