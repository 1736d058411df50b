import { IconClipboard } from '@tabler/icons-react'

import type { Editor } from '../canvas/editor'
import { parseClipboard, paste as pasteSteps } from '../graph/clipboard'
import { editable, type Action } from './action'
import { readClipboard } from './clipboard'

/** Also called by the browser's own paste event, which needs no permission. */
export function pasteText(editor: Editor, text: string): boolean {
  const copied = parseClipboard(text)
  if (!copied) return false
  const where = editor.pointer ?? editor.centre()
  const { graph, keys } = pasteSteps(editor.graph, editor.catalog, copied, where)
  if (editor.change(graph, keys.length === 1 ? 'Pasted a step' : `Pasted ${keys.length} steps`)) editor.select(keys)
  return true
}

export const paste: Action = {
  id: 'pipeline.paste',
  label: 'Paste',
  icon: IconClipboard,
  group: 'Edit',
  keys: ['mod+V'],
  places: ['canvas'],
  available: editable,
  run: (editor) => {
    void readClipboard().then((text) => {
      if (!pasteText(editor, text)) editor.announce('There are no steps on the clipboard.')
    })
  },
}
