import { IconPlayerTrackNext } from '@tabler/icons-react'

import { type Action } from './action'

export const runUntil: Action = {
  id: 'pipeline.run-until',
  label: 'Run until here…',
  icon: IconPlayerTrackNext,
  group: 'Steps',
  keys: [],
  places: ['step'],
  available: (editor) => editor.current !== null,
  run: (editor) => {
    const key = editor.current
    if (key) editor.open({ name: 'run', until: key })
  },
}
