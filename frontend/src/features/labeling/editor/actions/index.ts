/** All commands of the editor, in the order in which the help shows them, and which one a press of a key means. */
import { boundBy, matches, type Bound, type Press } from '../keys'
import type { EditorStore } from '../store'
import { choose } from '../pairs/pairs'
import type { Action } from './action'
import { preferFirst, preferSecond, toRanking } from './answers'
import { arrows, drawTools, finish, selectTool } from './draw'
import { acceptAll, confirm, copy, duplicate, paste, redo, remove, undo } from './edit'
import { larger, maskTools, smaller } from './masks'
import { all, deselect, hide, lock, next, previous, relate } from './regions'
import { nextPage, previousPage } from './pages'
import { occlude, skip } from './skeleton'
import { inFields, timeActions } from './time'
import { actual, fit, help, panel, texts, zoomIn, zoomOut, zoomTo } from './view'

export const ACTIONS: readonly Action[] = [
  undo,
  redo,
  remove,
  duplicate,
  copy,
  paste,
  acceptAll,
  confirm,
  next,
  previous,
  all,
  deselect,
  hide,
  lock,
  relate,
  ...timeActions,
  selectTool,
  ...drawTools,
  ...maskTools,
  skip,
  occlude,
  smaller,
  larger,
  finish,
  preferFirst,
  preferSecond,
  toRanking,
  ...arrows,
  nextPage,
  previousPage,
  zoomIn,
  zoomOut,
  fit,
  actual,
  zoomTo,
  texts,
  panel,
  help,
]

export function runAction(editor: EditorStore, id: string): boolean {
  const action = ACTIONS.find((one) => one.id === id)
  if (!action?.available(editor)) return false
  return action.run(editor) !== false
}

export type Place = 'canvas' | 'text' | 'page' | 'field' | 'dialog'

export function placeOf(target: EventTarget | null): Place {
  if (!(target instanceof HTMLElement)) return 'page'
  if (target.closest('[role="dialog"],[role="menu"],[role="listbox"]')) return 'dialog'
  if (target.closest('[data-editor-text]')) return 'text'
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return 'field'
  if (target instanceof HTMLInputElement) return /^(checkbox|radio|button)$/.test(target.type) ? 'page' : 'field'
  if (target === document.body || target.id === 'main' || target.closest('[data-editor-canvas]')) return 'canvas'
  return 'page'
}

/** In the text these belong to the caret; on a button or in a list they mean what they mean there. */
const OF_THE_PLACE = /^(Tab|Enter| |Arrow\w+|Home|End|PageUp|PageDown)$/

export type Meaning = { readonly action: Action } | { readonly bound: Bound; readonly only: boolean } | null

/** Labels and choices first, so that a schema's own hotkeys win over the commands' letters. */
export function meaningOf(press: Press, place: Place, editor: EditorStore): Meaning {
  if (place === 'dialog') return null
  if (place === 'field') {
    const action = [undo, redo].find((one) => one.keys.some((keys) => matches(press, keys)))
    const playing = inFields.find((one) => one.keys.some((keys) => matches(press, keys)) && one.available(editor))
    if (playing) return { action: playing }
    // A field undoes its own typing.
    return action ? null : press.key === 'Escape' ? { action: deselect } : null
  }
  if (!editor.state.readOnly) {
    const bound = boundBy(press, editor.keys)
    if (bound) return bound
  }
  const alt = press.altKey && place === 'text'
  if (alt || (place !== 'canvas' && OF_THE_PLACE.test(press.key) && !press.ctrlKey && !press.metaKey)) {
    return place === 'text' && press.key === 'Enter' ? { action: finish } : null
  }
  if (place === 'text' && matches(press, 'ctrl+a')) return null
  const action = ACTIONS.find((one) => one.keys.some((keys) => matches(press, keys)) && one.available(editor))
  return action ? { action } : null
}

/** Does what a press means; true if it was the editor's. */
export function press(event: KeyboardEvent, editor: EditorStore): boolean {
  const place = placeOf(event.target)
  // Before the canvas has the focus, Tab brings it there like anything else.
  if (event.key === 'Tab' && !(event.target as HTMLElement).closest?.('[data-editor-canvas]')) return false
  const meaning = meaningOf(event, place, editor)
  if (!meaning) return false
  if ('action' in meaning) {
    if (place === 'field' && meaning.action === deselect) {
      ;(event.target as HTMLElement).blur()
      editor.views.values().next().value?.focus?.()
      return true
    }
    return meaning.action.run(editor) !== false
  }
  const { control: name, value } = meaning.bound
  const control = editor.config.controls.find((one) => one.name === name)
  if (!control) return false
  const region = control.per_region ? editor.current?.id : undefined
  if (control.per_region && !region) return false
  if (value === '') editor.focusControl(name)
  else if (control.type === 'pairwise') choose(editor, control, value)
  else if (control.type === 'choices') editor.choose(control, value, region)
  else if (control.type === 'rating') editor.answer(control, { rating: Number(value) }, region, `${value} stars`)
  else editor.pick(control, value, meaning.only)
  return true
}

export type { Action } from './action'
