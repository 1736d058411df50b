import { IconArrowsMove, IconCircle, IconCrosshair, IconLine, IconPlus, IconPointer, IconPolygon, IconRectangle } from '@tabler/icons-react'

import { hasPicture, shapeKind, type ShapeKind } from '../config'
import { moved, pushedInside, clamped, resized } from '../geometry'
import { SELECT_KEY, TOOL_KEYS } from '../keys'
import type { EditorStore } from '../store'
import { editable, view, type Action } from './action'

export const selectTool: Action = {
  id: 'annotation.select-tool',
  label: 'Select and move',
  icon: IconPointer,
  group: 'Draw',
  keys: [SELECT_KEY],
  available: (editor) => hasPicture(editor.config),
  run: (editor) => editor.useTool(null),
}

type Drawn = Exclude<ShapeKind, 'brush'>

const ICONS = { rectangle: IconRectangle, polygon: IconPolygon, ellipse: IconCircle, keypoint: IconCrosshair, vector: IconLine }
const WORDS: Record<Drawn, string> = { rectangle: 'Draw a box', polygon: 'Draw a polygon', ellipse: 'Draw an ellipse', keypoint: 'Set a key point', vector: 'Draw a line' }

export const drawTools: readonly (Action & { readonly kind: Drawn })[] = (['rectangle', 'polygon', 'vector', 'ellipse', 'keypoint'] as const).map((kind) => ({
  id: `annotation.${kind}`,
  label: WORDS[kind],
  icon: ICONS[kind],
  group: 'Draw',
  keys: [TOOL_KEYS[kind]],
  kind,
  available: (editor) => editable(editor) && editor.config.controls.some((control) => shapeKind(control.type) === kind),
  run: (editor) => editor.useTool(kind),
}))

export const finish: Action = {
  id: 'annotation.place',
  label: 'Finish the polygon or line, or place a region in the middle',
  icon: IconPlus,
  group: 'Draw',
  keys: ['Enter'],
  quiet: true,
  available: editable,
  run: (editor) => {
    if (view(editor, 'finish')?.()) return
    return editor.addDefault() !== null
  },
}

/** Arrows move what is selected, else the view; Shift makes it ten pixels, Alt sizes. */
function arrow(key: string, dx: number, dy: number): Action[] {
  const where = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }[key] ?? key
  const make = (id: string, label: string, keys: string, size: boolean, by: number): Action => ({
    id: `annotation.${id}-${where}`,
    label,
    icon: IconArrowsMove,
    group: 'Draw',
    keys: [keys],
    quiet: true,
    available: (editor) => hasPicture(editor.config),
    run: (editor) => (size ? sizeBy(editor, dx * by, dy * by) : moveBy(editor, dx * by, dy * by)),
  })
  return [
    make('move', `Move ${where} 1 pixel; without a selection, the view`, key, false, 1),
    make('move-far', `Move ${where} 10 pixels`, `shift+${key}`, false, 10),
    make('size', `Size ${where} 1 pixel`, `alt+${key}`, true, 1),
    make('size-far', `Size ${where} 10 pixels`, `alt+shift+${key}`, true, 10),
  ]
}

function moveBy(editor: EditorStore, dx: number, dy: number): boolean {
  if (editor.state.selected.size === 0) {
    const pan = view(editor, 'pan')
    pan?.(-dx * 40, -dy * 40)
    return pan !== undefined
  }
  return change(editor, 'moved', (shape, size) => pushedInside(moved(shape, dx, dy), size))
}

function sizeBy(editor: EditorStore, dw: number, dh: number): boolean {
  return change(editor, 'sized', (shape, size) => clamped(resized(shape, dw, dh), size))
}

function change(editor: EditorStore, word: string, make: (shape: Parameters<typeof clamped>[0], size: Parameters<typeof clamped>[1]) => ReturnType<typeof clamped>): boolean {
  let done = false
  for (const id of editor.state.selected) {
    const region = editor.region(id)
    const shape = region && editor.shape(region)
    if (!region || !shape) continue
    editor.setShape(id, make(shape, editor.sizeOf(region)), word, `keys:${word}:${[...editor.state.selected].join()}`)
    done = true
  }
  return done
}

export const arrows: readonly Action[] = [...arrow('ArrowLeft', -1, 0), ...arrow('ArrowRight', 1, 0), ...arrow('ArrowUp', 0, -1), ...arrow('ArrowDown', 0, 1)]
