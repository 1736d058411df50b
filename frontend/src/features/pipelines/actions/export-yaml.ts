import { IconFileExport } from '@tabler/icons-react'

import { always, type Action } from './action'

export const exportYaml: Action = {
  id: 'pipeline.yaml',
  label: 'View or export as YAML…',
  icon: IconFileExport,
  group: 'Pipeline',
  keys: [],
  places: ['more'],
  available: always,
  run: (editor) => editor.open({ name: 'yaml', tab: 'export' }),
}
