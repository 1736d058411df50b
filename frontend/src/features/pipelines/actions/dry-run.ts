import { IconTestPipe } from '@tabler/icons-react'

import { always, type Action } from './action'

export const dryRun: Action = {
  id: 'pipeline.dry-run',
  label: 'Dry run on a sample…',
  icon: IconTestPipe,
  group: 'Pipeline',
  keys: [],
  places: ['more', 'canvas'],
  available: always,
  run: (editor) => editor.open({ name: 'run', dry: true }),
}
