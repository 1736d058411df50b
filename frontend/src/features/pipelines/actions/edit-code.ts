import { IconCode } from '@tabler/icons-react'

import { readCodeName } from '../code/queries'
import type { Editor } from '../canvas/editor'
import { type Action } from './action'

const codeOf = (editor: Editor) => (editor.current ? readCodeName(editor.graph.steps[editor.current]?.component ?? '') : null)

export const editCode: Action = {
  id: 'pipeline.edit-code',
  label: 'Open its code',
  icon: IconCode,
  group: 'Steps',
  keys: ['shift+Enter'],
  places: ['step'],
  available: (editor) => codeOf(editor) !== null,
  run: (editor) => {
    const code = codeOf(editor)
    if (code && editor.current) editor.open({ name: 'code', code, step: editor.current })
  },
}
