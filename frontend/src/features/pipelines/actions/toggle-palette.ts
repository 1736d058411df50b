import { IconLayoutSidebar } from '@tabler/icons-react'

import { always, type Action } from './action'

export const togglePalette: Action = {
  id: 'pipeline.palette',
  label: 'Show or hide the components',
  icon: IconLayoutSidebar,
  group: 'View',
  keys: ['alt+1'],
  places: ['more'],
  available: always,
  run: (editor) => editor.set({ palette: !editor.state.palette }),
}
