import { IconSearch } from '@tabler/icons-react'

import { always, type Action } from './action'

export const findStep: Action = {
  id: 'pipeline.find',
  label: 'Find a step…',
  icon: IconSearch,
  group: 'View',
  keys: ['mod+F'],
  places: ['canvas'],
  available: always,
  run: (editor) => editor.open({ name: 'find' }),
}
