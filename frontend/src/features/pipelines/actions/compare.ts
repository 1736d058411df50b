import { IconGitCompare } from '@tabler/icons-react'

import { always, type Action } from './action'

export const compare: Action = {
  id: 'pipeline.compare',
  label: 'Compare with the published version…',
  icon: IconGitCompare,
  group: 'Pipeline',
  keys: [],
  places: ['more'],
  available: always,
  run: (editor) => editor.open({ name: 'compare' }),
}
