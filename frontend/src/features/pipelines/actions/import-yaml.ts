import { IconFileImport } from '@tabler/icons-react'

import { editable, type Action } from './action'

export const importYaml: Action = {
  id: 'pipeline.import',
  label: 'Replace from YAML…',
  icon: IconFileImport,
  group: 'Pipeline',
  keys: [],
  places: ['more'],
  available: editable,
  run: (editor) => editor.open({ name: 'yaml', tab: 'import' }),
}
