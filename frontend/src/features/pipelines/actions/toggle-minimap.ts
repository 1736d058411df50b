import { IconMap2 } from '@tabler/icons-react'

import { always, type Action } from './action'

export const toggleMinimap: Action = {
  id: 'pipeline.minimap',
  label: 'Show or hide the overview map',
  icon: IconMap2,
  group: 'View',
  keys: ['alt+4'],
  places: ['more', 'canvas'],
  available: always,
  run: (editor) => editor.set({ minimap: !editor.state.minimap }),
}
