import { IconCopyPlus } from '@tabler/icons-react'

import { duplicate as duplicateSteps } from '../graph/clipboard'
import { type Action } from './action'

export const duplicate: Action = {
  id: 'pipeline.duplicate',
  label: 'Duplicate',
  icon: IconCopyPlus,
  group: 'Edit',
  keys: ['mod+D'],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.selected.length > 0,
  run: (editor) => {
    const { graph, keys } = duplicateSteps(editor.graph, editor.catalog, editor.state.steps)
    if (editor.change(graph, keys.length === 1 ? 'Duplicated a step' : `Duplicated ${keys.length} steps`)) editor.select(keys)
  },
}
