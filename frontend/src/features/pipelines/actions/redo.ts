import { IconArrowForwardUp } from '@tabler/icons-react'

import { type Action } from './action'

export const redo: Action = {
  id: 'pipeline.redo',
  label: 'Redo',
  icon: IconArrowForwardUp,
  group: 'Edit',
  keys: ['mod+shift+Z', 'mod+Y'],
  places: ['toolbar'],
  available: (editor) => !editor.state.readOnly && editor.draft.canRedo,
  run: (editor) => editor.redo(),
}
