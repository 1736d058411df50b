import { IconPlayerSkipForward } from '@tabler/icons-react'

import { type Action } from './action'

export const runFrom: Action = {
  id: 'pipeline.run-from',
  label: 'Run again from here…',
  icon: IconPlayerSkipForward,
  group: 'Steps',
  keys: [],
  places: ['step'],
  available: (editor) => editor.current !== null,
  run: (editor) => {
    const key = editor.current
    if (key) editor.open({ name: 'run', fresh: key })
  },
}
