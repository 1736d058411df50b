import { IconGitCommit } from '@tabler/icons-react'

import { editable, type Action } from './action'

export const publish: Action = {
  id: 'pipeline.publish',
  label: 'Publish a version…',
  icon: IconGitCommit,
  group: 'Pipeline',
  keys: ['mod+shift+P'],
  places: ['more'],
  available: editable,
  run: (editor) => editor.open({ name: 'publish' }),
}
