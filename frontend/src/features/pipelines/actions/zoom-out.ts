import { IconZoomOut } from '@tabler/icons-react'

import { always, type Action } from './action'

export const zoomOut: Action = {
  id: 'pipeline.zoom-out',
  label: 'Zoom out',
  icon: IconZoomOut,
  group: 'View',
  keys: ['-'],
  places: ['toolbar'],
  available: always,
  run: (editor) => void editor.flow?.zoomOut({ duration: 120 }),
}
