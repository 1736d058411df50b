import { IconRowInsertTop } from '@tabler/icons-react'

import { type Action } from './action'

export const insert: Action = {
  id: 'pipeline.insert',
  label: 'Insert a step…',
  icon: IconRowInsertTop,
  group: 'Steps',
  keys: [],
  places: ['edge'],
  available: (editor) => !editor.state.readOnly && editor.selectedEdges.length === 1,
  run: (editor) => {
    const edge = editor.selectedEdges[0]
    if (edge) editor.open({ name: 'add', edge })
  },
}
