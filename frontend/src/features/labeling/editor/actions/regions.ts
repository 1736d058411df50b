import { IconArrowNarrowRight, IconDeselect, IconEye, IconLock, IconSelectAll, IconSwitchHorizontal } from '@tabler/icons-react'

import { endInstance } from '../skeleton'
import { always, editable, view, withRegions, type Action } from './action'

export const next: Action = {
  id: 'annotation.next',
  label: 'Next region',
  icon: IconSwitchHorizontal,
  group: 'Regions',
  keys: ['Tab'],
  quiet: true,
  available: (editor) => editor.regions.length > 0,
  run: (editor) => walk(editor, 1),
}

export const previous: Action = {
  id: 'annotation.previous',
  label: 'Previous region',
  icon: IconSwitchHorizontal,
  group: 'Regions',
  keys: ['shift+Tab'],
  quiet: true,
  available: (editor) => editor.regions.length > 0,
  run: (editor) => walk(editor, -1),
}

/** Past the last region the focus goes on to what follows: the canvas is no trap. */
function walk(editor: Parameters<Action['run']>[0], by: 1 | -1): boolean {
  const regions = editor.regions.filter((region) => !editor.state.hidden.has(region.id))
  const at = editor.current ? regions.indexOf(editor.current) : by === 1 ? -1 : regions.length
  const region = regions[at + by]
  if (!region) {
    editor.select([])
    return false
  }
  editor.select([region.id], { reveal: true })
  return true
}

export const all: Action = {
  id: 'annotation.select-all',
  label: 'Select all regions',
  icon: IconSelectAll,
  group: 'Regions',
  keys: ['ctrl+a'],
  available: (editor) => editor.regions.length > 0,
  run: (editor) => editor.select(editor.regions.filter((region) => !editor.state.hidden.has(region.id)).map((region) => region.id)),
}

export const deselect: Action = {
  id: 'annotation.escape',
  label: 'Cancel, deselect, put the tool down',
  icon: IconDeselect,
  group: 'Regions',
  keys: ['Escape'],
  quiet: true,
  available: always,
  run: (editor) => {
    if (view(editor, 'cancel')?.()) return
    if (editor.state.relating) editor.set({ relating: null })
    else if (endInstance(editor)) editor.announce('Another one')
    else if (withRegions(editor)) editor.select([])
    else if (editor.state.brush) editor.useTool(null)
    else return false
  },
}

export const hide: Action = {
  id: 'annotation.hide',
  label: 'Hide or show',
  icon: IconEye,
  group: 'Regions',
  keys: ['h'],
  available: (editor) => editor.regions.length > 0,
  run: (editor) => editor.toggle('hidden', withRegions(editor) ? editor.state.selected : editor.regions.map((region) => region.id)),
}

export const lock: Action = {
  id: 'annotation.lock',
  label: 'Lock or unlock',
  icon: IconLock,
  group: 'Regions',
  keys: ['l'],
  available: withRegions,
  run: (editor) => editor.toggle('locked', editor.state.selected),
}

export const relate: Action = {
  id: 'annotation.relate',
  label: 'Relate to another region',
  icon: IconArrowNarrowRight,
  group: 'Regions',
  keys: ['r'],
  available: (editor) => editable(editor) && editor.state.selected.size === 1,
  run: (editor) => {
    const [from] = editor.state.selected
    editor.set({ relating: editor.state.relating ? null : (from ?? null) })
    editor.announce(editor.state.relating ? 'Choose the region it relates to' : 'No relation')
  },
}
