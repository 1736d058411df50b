import { IconZoomScan } from '@tabler/icons-react'

import { withSteps, type Action } from './action'

export const zoomSelection: Action = {
  id: 'pipeline.zoom-selection',
  label: 'Show what is selected',
  icon: IconZoomScan,
  group: 'View',
  keys: ['shift+2'],
  places: ['step'],
  available: withSteps,
  run: (editor) => editor.fit(editor.selected),
}
