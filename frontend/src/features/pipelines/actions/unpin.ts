import { IconPinnedOff } from '@tabler/icons-react'

import * as edit from '../graph/edit'
import { type Action } from './action'

export const unpin: Action = {
  id: 'pipeline.unpin',
  label: 'Unpin it',
  icon: IconPinnedOff,
  group: 'Steps',
  keys: [],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.graph.steps[editor.current ?? '']?.pin !== undefined,
  run: (editor) => {
    const key = editor.current
    if (key) editor.change(edit.setFlow(editor.graph, key, { pin: undefined }), `Unpinned ${editor.title(key)}`)
  },
}
