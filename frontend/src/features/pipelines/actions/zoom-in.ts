import { IconZoomIn } from '@tabler/icons-react'

import { always, type Action } from './action'

export const zoomIn: Action = {
  id: 'pipeline.zoom-in',
  label: 'Zoom in',
  icon: IconZoomIn,
  group: 'View',
  keys: ['=', '+'],
  places: ['toolbar'],
  available: always,
  run: (editor) => void editor.flow?.zoomIn({ duration: 120 }),
}
