import { IconLayoutSidebarRight } from '@tabler/icons-react'

import { always, type Action } from './action'

export const toggleInspector: Action = {
  id: 'pipeline.inspector',
  label: 'Show or hide the details',
  icon: IconLayoutSidebarRight,
  group: 'View',
  keys: ['alt+2'],
  places: ['more'],
  available: always,
  run: (editor) => editor.set({ inspector: !editor.state.inspector }),
}
