import { IconAlertTriangle } from '@tabler/icons-react'

import { always, type Action } from './action'

export const toggleProblems: Action = {
  id: 'pipeline.problems',
  label: 'Show or hide the problems',
  icon: IconAlertTriangle,
  group: 'View',
  keys: ['alt+3'],
  places: ['more'],
  available: always,
  run: (editor) => editor.set({ problemsOpen: !editor.state.problemsOpen }),
}
