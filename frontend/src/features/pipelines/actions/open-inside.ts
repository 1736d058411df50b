import { IconRoute } from '@tabler/icons-react'

import { pipelineOf } from '../graph/nested'
import { type Action } from './action'

export const openInside: Action = {
  id: 'pipeline.open-inside',
  label: 'Open the pipeline that this step is',
  icon: IconRoute,
  group: 'Steps',
  keys: ['mod+ArrowDown'],
  places: ['step'],
  available: (editor) => pipelineOf(editor.graph.steps[editor.current ?? '']?.component ?? '') !== null,
  run: (editor) => {
    const step = editor.graph.steps[editor.current ?? '']
    if (step) editor.openStep(step)
  },
}
