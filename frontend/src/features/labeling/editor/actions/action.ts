/** A user command is one object: what it is called, its icon and keys, when it may be used and what it does. */
import type { Icon } from '@tabler/icons-react'

import type { View } from '../state'
import type { EditorStore } from '../store'

export interface Action {
  readonly id: string
  readonly label: string
  readonly icon: Icon
  readonly group: 'Play' | 'Edit' | 'Regions' | 'Draw' | 'View'
  /** As `keys.matches` reads them; any of them, the first is the one shown. */
  readonly keys: readonly string[]
  /** Only in the keys' help: learnt once, not worth a button. */
  readonly quiet?: boolean
  available(editor: EditorStore): boolean
  /** False: the key is somebody else's this time. */
  run(editor: EditorStore): void | boolean
}

export const editable = (editor: EditorStore): boolean => !editor.state.readOnly
export const withRegions = (editor: EditorStore): boolean => editor.state.selected.size > 0
export const always = (): boolean => true

/** The first view that can do this; most schemas have one object. */
export function view<K extends keyof View>(editor: EditorStore, verb: K): View[K] | undefined {
  const own = editor.current ? editor.views.get(editor.current.to)?.[verb] : undefined
  if (own) return own
  for (const one of editor.views.values()) if (one[verb]) return one[verb]
  return undefined
}
