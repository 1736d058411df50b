import { IconTrash } from '@tabler/icons-react'

import { type Action } from './action'

export const remove: Action = {
  id: 'pipeline.delete',
  label: 'Delete',
  icon: IconTrash,
  group: 'Edit',
  keys: ['Delete', 'Backspace'],
  places: ['step', 'edge'],
  available: (editor) => !editor.state.readOnly && (editor.selected.length > 0 || editor.state.edges.size > 0),
  run: (editor) => editor.removeSelected(),
}
