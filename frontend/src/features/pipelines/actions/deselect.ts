import { IconDeselect } from '@tabler/icons-react'

import { type Action } from './action'

export const deselect: Action = {
  id: 'pipeline.deselect',
  label: 'Select nothing',
  icon: IconDeselect,
  group: 'Edit',
  keys: ['Escape'],
  places: [],
  available: (editor) => editor.state.steps.size > 0 || editor.state.edges.size > 0,
  run: (editor) => {
    editor.select([])
    editor.announce('Nothing selected.')
  },
}
