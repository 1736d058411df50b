import { IconPlugConnectedX } from '@tabler/icons-react'

import * as edit from '../graph/edit'
import { edgesOf } from '../graph/types'
import { type Action } from './action'

export const disconnect: Action = {
  id: 'pipeline.disconnect',
  label: 'Disconnect all wires',
  icon: IconPlugConnectedX,
  group: 'Steps',
  keys: ['shift+C'],
  places: ['step'],
  available: (editor) => !editor.state.readOnly && editor.selected.length > 0,
  run: (editor) => {
    const keys = editor.state.steps
    const wires = edgesOf(editor.graph).filter((edge) => keys.has(edge.source) || keys.has(edge.target))
    editor.change(edit.disconnect(editor.graph, wires), `Disconnected ${wires.length} ${wires.length === 1 ? 'wire' : 'wires'}`)
  },
}
