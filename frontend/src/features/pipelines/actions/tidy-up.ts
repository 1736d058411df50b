import { IconLayoutDistributeHorizontal } from '@tabler/icons-react'

import * as edit from '../graph/edit'
import { tidy } from '../graph/layout'
import { editable, type Action } from './action'

export const tidyUp: Action = {
  id: 'pipeline.tidy',
  label: 'Tidy up',
  icon: IconLayoutDistributeHorizontal,
  group: 'Edit',
  keys: ['shift+T'],
  places: ['toolbar', 'canvas', 'step'],
  available: editable,
  run: (editor) => {
    const some = editor.selected.length > 1
    const done = editor.change(edit.move(editor.graph, tidy(editor.graph, editor.catalog, some ? editor.state.steps : undefined)), some ? 'Tidied up the selected steps' : 'Tidied up')
    if (done && !some) requestAnimationFrame(() => editor.fit())
  },
}
