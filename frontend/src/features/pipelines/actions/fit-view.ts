import { IconMaximize } from '@tabler/icons-react'

import { always, type Action } from './action'

export const fitView: Action = {
  id: 'pipeline.fit',
  label: 'Show everything',
  icon: IconMaximize,
  group: 'View',
  keys: ['shift+1'],
  places: ['toolbar', 'canvas'],
  available: always,
  run: (editor) => editor.fit(),
}
