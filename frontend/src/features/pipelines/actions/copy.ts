import { IconCopy } from '@tabler/icons-react'

import { copyText } from '../graph/clipboard'
import { writeClipboard } from './clipboard'
import { withSteps, type Action } from './action'

export const copy: Action = {
  id: 'pipeline.copy',
  label: 'Copy',
  icon: IconCopy,
  group: 'Edit',
  keys: ['mod+C'],
  places: ['step'],
  available: withSteps,
  run: (editor) => {
    const keys = editor.selected
    writeClipboard(copyText(editor.graph, new Set(keys)))
    editor.announce(`Copied ${keys.length === 1 ? editor.title(keys[0] ?? '') : `${keys.length} steps`}.`)
  },
}
