/** Which command a key press means, given where the focus is. Pure but for the element it looks at. */
import { ACTIONS, matches, type Action } from '.'

/** Commands whose keys also work while someone types in a field of the page. */
const EVERYWHERE = new Set(['pipeline.run', 'pipeline.publish', 'pipeline.palette', 'pipeline.inspector', 'pipeline.problems', 'pipeline.minimap'])

export type Place = 'canvas' | 'page' | 'field' | 'dialog'

export function placeOf(target: EventTarget | null): Place {
  if (!(target instanceof HTMLElement)) return 'page'
  if (target.closest('[role="dialog"],[role="menu"],[role="listbox"]')) return 'dialog'
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return 'field'
  if (target === document.body || target.id === 'main' || target.matches('[data-canvas]')) return 'canvas'
  return 'page'
}

/**
 * On the canvas every key works. Beside it (a button of the bar, a row of the palette) only those with Ctrl or Alt do,
 * so that Enter, Tab and the arrows mean what they mean there; in a field only those that no field uses.
 */
export function actionFor(event: KeyboardEvent, place: Place): Action | null {
  if (place === 'dialog') return null
  const action = ACTIONS.find((candidate) => candidate.keys.some((keys) => matches(event, keys)))
  if (!action) return null
  if (place === 'field') return EVERYWHERE.has(action.id) ? action : null
  const chord = event.ctrlKey || event.metaKey || event.altKey || /^F\d+$/.test(event.key)
  return place === 'canvas' || chord ? action : null
}
