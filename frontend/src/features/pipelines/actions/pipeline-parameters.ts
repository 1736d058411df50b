import { IconVariable } from '@tabler/icons-react'

import { always, type Action } from './action'

export const pipelineParameters: Action = {
  id: 'pipeline.parameters',
  label: 'Parameters of the pipeline',
  icon: IconVariable,
  group: 'Pipeline',
  keys: [],
  places: ['more', 'canvas'],
  available: always,
  run: (editor) => {
    editor.select([])
    editor.set({ inspector: true })
    requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-pipeline-parameters] button')?.focus())
  },
}
