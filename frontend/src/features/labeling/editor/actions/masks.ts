import { IconBrush, IconCircleMinus, IconCirclePlus, IconEraser, IconWand } from '@tabler/icons-react'

import { shapeKind } from '../config'
import { MASK_KEYS } from '../keys'
import type { MaskTools } from '../state'
import type { EditorStore } from '../store'
import { editable, type Action } from './action'

const WORDS: Record<MaskTools['tool'], string> = { brush: 'Paint a mask', eraser: 'Erase from a mask', wand: 'Magic wand: mark by colour' }
const ICONS = { brush: IconBrush, eraser: IconEraser, wand: IconWand }

function paints(editor: EditorStore): boolean {
  return editable(editor) && editor.config.controls.some((control) => shapeKind(control.type) === 'brush')
}

export const maskTools: readonly (Action & { readonly tool: MaskTools['tool'] })[] = (['brush', 'eraser', 'wand'] as const).map((tool) => ({
  id: `annotation.mask-${tool}`,
  label: WORDS[tool],
  icon: ICONS[tool],
  group: 'Draw',
  keys: [MASK_KEYS[tool]],
  tool,
  available: (editor) => paints(editor) && (tool !== 'wand' || editor.config.controls.some((control) => control.wand)),
  run: (editor) => editor.useMaskTool(tool),
}))

const STEP = 1.25

function sized(editor: EditorStore, by: number): void {
  const { size } = editor.state.masks
  const next = Math.round(size * by)
  editor.sizeBrush(next === size ? size + Math.sign(by - 1) : next)
  editor.announce(`Brush ${editor.state.masks.size} pixels`)
}

export const smaller: Action = { id: 'annotation.brush-smaller', label: 'A smaller brush', icon: IconCircleMinus, group: 'Draw', keys: ['['], quiet: true, available: paints, run: (editor) => sized(editor, 1 / STEP) }

export const larger: Action = { id: 'annotation.brush-larger', label: 'A larger brush', icon: IconCirclePlus, group: 'Draw', keys: [']'], quiet: true, available: paints, run: (editor) => sized(editor, STEP) }
