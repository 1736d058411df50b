import { IconDeselect } from '@tabler/icons-react'

import { type Action } from './action'

export const deselect: Action = {
  id: 'pipeline.deselect',
  label: 'Select nothing',
  icon: IconDeselect,
  group: 'Edit',
  keys: ['Escape'],
  places: [],
  available: (editor) => editor.state.pending !== null || editor.state.steps.size > 0 || editor.state.edges.size > 0,
  run: (editor) => {
    if (editor.state.pending) {
      editor.stop()
      editor.announce('Connecting cancelled.')
      return
    }
    editor.select([])
    editor.announce('Nothing selected.')
  },
}
