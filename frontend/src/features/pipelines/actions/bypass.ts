import { IconArrowBounce } from '@tabler/icons-react'

import * as edit from '../graph/edit'
import { type Action } from './action'

export const bypass: Action = {
  id: 'pipeline.bypass',
  label: 'Delete and join the ends',
  icon: IconArrowBounce,
  group: 'Steps',
  keys: ['shift+Delete', 'shift+Backspace'],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.current !== null,
  run: (editor) => {
    const key = editor.current
    if (key) editor.change(edit.bypass(editor.graph, editor.catalog, key), `Deleted ${editor.title(key)} and joined its neighbours`)
  },
}
