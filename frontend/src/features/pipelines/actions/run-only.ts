import { IconPlayerPlay } from '@tabler/icons-react'

import { type Action } from './action'

export const runOnly: Action = {
  id: 'pipeline.run-only',
  label: 'Run this step only…',
  icon: IconPlayerPlay,
  group: 'Steps',
  keys: [],
  places: ['step'],
  available: (editor) => editor.current !== null,
  run: (editor) => {
    const key = editor.current
    if (key) editor.open({ name: 'run', until: key, fresh: key })
  },
}
