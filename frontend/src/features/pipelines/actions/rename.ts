import { IconPencil } from '@tabler/icons-react'

import { type Action } from './action'

export const rename: Action = {
  id: 'pipeline.rename',
  label: 'Rename the step',
  icon: IconPencil,
  group: 'Steps',
  keys: ['F2'],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.current !== null,
  run: (editor) => {
    if (editor.current) editor.focusField(editor.current, 'step:name')
  },
}
