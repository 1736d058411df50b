import { IconPlayerPlayFilled } from '@tabler/icons-react'

import { always, type Action } from './action'

export const runPipeline: Action = {
  id: 'pipeline.run',
  label: 'Run this pipeline…',
  icon: IconPlayerPlayFilled,
  group: 'Pipeline',
  keys: ['mod+Enter'],
  places: [],
  available: always,
  run: (editor) => editor.open({ name: 'run' }),
}
