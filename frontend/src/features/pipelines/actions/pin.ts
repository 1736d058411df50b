import { IconPin } from '@tabler/icons-react'

import type { Editor, StepStatus } from '../canvas/editor'
import * as edit from '../graph/edit'
import { type Action } from './action'

/** The result that the selected step has from the newest run, where it has one. */
function result(editor: Editor): StepStatus | null {
  const status = editor.current ? editor.state.status[editor.current] : undefined
  return status?.gave && (status.status === 'succeeded' || status.status === 'skipped') ? status : null
}

export const pin: Action = {
  id: 'pipeline.pin',
  label: 'Pin its result',
  icon: IconPin,
  group: 'Steps',
  keys: [],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && result(editor) !== null && editor.graph.steps[editor.current ?? '']?.pin === undefined,
  run: (editor) => {
    const [key, found] = [editor.current, result(editor)]
    if (key && found) editor.change(edit.setFlow(editor.graph, key, { pin: { step_run: found.id, run: found.run } }), `Pinned ${editor.title(key)} to the result of run ${found.run}`)
  },
}
