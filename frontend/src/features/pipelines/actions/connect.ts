import { IconPlugConnected } from '@tabler/icons-react'

import { type Action } from './action'

export const connect: Action = {
  id: 'pipeline.connect',
  label: 'Connect to…',
  icon: IconPlugConnected,
  group: 'Steps',
  keys: ['C'],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.current !== null,
  run: (editor) => {
    if (editor.current) editor.open({ name: 'connect', step: editor.current })
  },
}
