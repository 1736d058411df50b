import { IconPlus } from '@tabler/icons-react'

import { editable, type Action } from './action'

export const addStep: Action = {
  id: 'pipeline.add',
  label: 'Add a step…',
  icon: IconPlus,
  group: 'Steps',
  keys: ['/'],
  places: ['canvas'],
  available: editable,
  run: (editor) => editor.open({ name: 'add' }),
}
