import { IconRowInsertBottom } from '@tabler/icons-react'

import { componentOf } from '../graph/catalog'
import type { Action } from './action'

/** Continue from the selected step: only what fits its outputs is offered. Tab works only with a step selected, so that it still leaves the canvas. */
export const addAfter: Action = {
  id: 'pipeline.add-after',
  label: 'Add a step after this one…',
  icon: IconRowInsertBottom,
  group: 'Steps',
  keys: ['Tab'],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.current !== null && (componentOf(editor.catalog, editor.graph.steps[editor.current])?.outputs.length ?? 0) > 0,
  run: (editor) => {
    const key = editor.current
    const output = key ? componentOf(editor.catalog, editor.graph.steps[key])?.outputs[0] : undefined
    if (key && output) editor.open({ name: 'add', end: { step: key, port: output.name, side: 'output' } })
  },
}
