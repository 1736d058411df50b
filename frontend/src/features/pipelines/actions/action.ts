/**
 * A user command is one object in one file: what it is called, its icon and keys, where it shows, when it may be used
 * and what it does. The toolbar, the menus, the keyboard, the shortcuts' help and the command palette all read these.
 */
import type { Icon } from '@tabler/icons-react'

import type { Editor } from '../canvas/editor'

export type Place = 'toolbar' | 'step' | 'edge' | 'canvas' | 'more'

export interface Action {
  readonly id: string
  readonly label: string
  readonly icon: Icon
  readonly group: 'Edit' | 'Steps' | 'View' | 'Pipeline' | 'Walk'
  /** `mod+shift+Z`; several mean "any of them", the first is the one shown. */
  readonly keys: readonly string[]
  readonly places: readonly Place[]
  /** Walking from step to step is learnt once: in the help, not in the palette. */
  readonly quiet?: boolean
  available(editor: Editor): boolean
  run(editor: Editor): void
}

export const editable = (editor: Editor): boolean => !editor.state.readOnly
export const withSteps = (editor: Editor): boolean => editor.selected.length > 0
export const always = (): boolean => true

/** Does the event match `mod+shift+Z`? `mod` is Command on a Mac and Control elsewhere; Shift is not asked of signs such as `?`. */
export function matches(event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>, keys: string): boolean {
  const parts = keys.toLowerCase().split('+')
  const key = parts.pop() || '+'
  const mod = event.ctrlKey || event.metaKey
  if (mod !== parts.includes('mod') || event.altKey !== parts.includes('alt')) return false
  const letterOrName = /^[a-z0-9]$|^.{2,}$/.test(key)
  if (letterOrName && event.shiftKey !== parts.includes('shift')) return false
  if (event.key.toLowerCase() === key) return true
  // With Alt or another layout the key's own letter may be lost; its place on the board is not.
  if (parts.includes('mod') || parts.includes('alt') || parts.includes('shift')) return event.code === `Key${key.toUpperCase()}` || event.code === `Digit${key}`
  return false
}
