import { IconArrowBigLeft, IconArrowBigRight, IconListNumbers } from '@tabler/icons-react'

import { hasPicture } from '../config'
import { choose, type Side } from '../pairs/pairs'
import type { EditorStore } from '../store'
import { editable, view, type Action } from './action'

const pairs = (editor: EditorStore) => editor.config.controls.filter((control) => control.type === 'pairwise')
/** On an image the arrows move what is drawn. */
const noImage = (editor: EditorStore): boolean => !hasPicture(editor.config)

function prefer(side: Side, keys: string, label: string, icon: Action['icon']): Action {
  return {
    id: `annotation.prefer-${side}`,
    label,
    icon,
    group: 'Edit',
    keys: [keys],
    available: (editor) => editable(editor) && noImage(editor) && pairs(editor).length > 0,
    run: (editor) => choose(editor, pairs(editor)[0]!, side),
  }
}

export const preferFirst = prefer('left', 'ArrowLeft', 'The first is better', IconArrowBigLeft)
export const preferSecond = prefer('right', 'ArrowRight', 'The second is better', IconArrowBigRight)

export const toRanking: Action = {
  id: 'annotation.rank-go',
  label: 'Go to the ranking',
  icon: IconListNumbers,
  group: 'Edit',
  keys: ['ArrowDown', 'ArrowUp'],
  quiet: true,
  available: (editor) => noImage(editor) && editor.config.controls.some((control) => control.type === 'ranker'),
  run: (editor) => view(editor, 'focus')?.(),
}
