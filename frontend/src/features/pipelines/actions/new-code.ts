import { IconCode } from '@tabler/icons-react'

import { editable, type Action } from './action'

export const newCode: Action = {
  id: 'pipeline.new-code',
  label: 'New code step…',
  icon: IconCode,
  group: 'Steps',
  keys: [],
  places: ['canvas', 'more'],
  available: editable,
  run: (editor) => editor.open({ name: 'code' }),
}
