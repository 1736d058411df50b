import { IconArrowBackUp } from '@tabler/icons-react'

import { type Action } from './action'

export const undo: Action = {
  id: 'pipeline.undo',
  label: 'Undo',
  icon: IconArrowBackUp,
  group: 'Edit',
  keys: ['mod+Z'],
  places: ['toolbar'],
  available: (editor) => !editor.state.readOnly && editor.draft.canUndo,
  run: (editor) => editor.undo(),
}
