import { IconForms } from '@tabler/icons-react'

import { type Action } from './action'

export const editParameters: Action = {
  id: 'pipeline.edit',
  label: 'Edit its parameters',
  icon: IconForms,
  group: 'Steps',
  keys: ['Enter'],
  places: ['step'],
  available: (editor) => editor.current !== null,
  run: (editor) => {
    if (editor.current) editor.focusField(editor.current, null)
  },
}
