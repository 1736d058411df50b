import { IconSelectAll } from '@tabler/icons-react'

import { always, type Action } from './action'

export const selectAll: Action = {
  id: 'pipeline.select-all',
  label: 'Select all steps',
  icon: IconSelectAll,
  group: 'Edit',
  keys: ['mod+A'],
  places: ['canvas'],
  available: always,
  run: (editor) => {
    const keys = Object.keys(editor.graph.steps)
    editor.select(keys)
    editor.announce(`${keys.length} steps selected.`)
  },
}
