import { IconScissors } from '@tabler/icons-react'

import { copyText } from '../graph/clipboard'
import { writeClipboard } from './clipboard'
import { type Action } from './action'

export const cut: Action = {
  id: 'pipeline.cut',
  label: 'Cut',
  icon: IconScissors,
  group: 'Edit',
  keys: ['mod+X'],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.selected.length > 0,
  run: (editor) => {
    writeClipboard(copyText(editor.graph, new Set(editor.selected)))
    editor.removeSelected()
  },
}
