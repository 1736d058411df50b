import { IconArrowBackUp, IconArrowForwardUp, IconCheck, IconClipboard, IconCopy, IconCopyPlus, IconSparkles, IconTrash } from '@tabler/icons-react'

import { editable, view, withRegions, type Action } from './action'

export const undo: Action = {
  id: 'annotation.undo',
  label: 'Undo',
  icon: IconArrowBackUp,
  group: 'Edit',
  keys: ['ctrl+z'],
  available: (editor) => editable(editor) && editor.state.canUndo,
  run: (editor) => editor.undo(),
}

export const redo: Action = {
  id: 'annotation.redo',
  label: 'Redo',
  icon: IconArrowForwardUp,
  group: 'Edit',
  keys: ['ctrl+shift+z', 'ctrl+y'],
  available: (editor) => editable(editor) && editor.state.canRedo,
  run: (editor) => editor.redo(),
}

export const remove: Action = {
  id: 'annotation.delete',
  label: 'Delete',
  icon: IconTrash,
  group: 'Edit',
  keys: ['Delete', 'Backspace'],
  available: editable,
  run: (editor) => {
    if (view(editor, 'removeLast')?.()) return true
    if (!withRegions(editor)) return false
    editor.remove(editor.state.selected)
  },
}

export const duplicate: Action = {
  id: 'annotation.duplicate',
  label: 'Duplicate',
  icon: IconCopyPlus,
  group: 'Edit',
  keys: ['ctrl+d'],
  available: (editor) => editable(editor) && withRegions(editor),
  run: (editor) => editor.duplicate(),
}

export const copy: Action = {
  id: 'annotation.copy',
  label: 'Copy',
  icon: IconCopy,
  group: 'Edit',
  keys: ['ctrl+c'],
  available: withRegions,
  run: (editor) => {
    // Text that somebody has marked is what they mean to copy.
    if (window.getSelection()?.isCollapsed === false) return false
    editor.copy()
  },
}

export const paste: Action = { id: 'annotation.paste', label: 'Paste', icon: IconClipboard, group: 'Edit', keys: ['ctrl+v'], available: editable, run: (editor) => editor.paste() }

export const acceptAll: Action = {
  id: 'annotation.accept-all',
  label: 'Take over all suggestions',
  icon: IconSparkles,
  group: 'Edit',
  keys: ['shift+a'],
  available: (editor) => editable(editor) && editor.state.suggestions.length > 0,
  run: (editor) => editor.accept(),
}

export const confirm: Action = {
  id: 'annotation.confirm',
  label: 'Accept the suggested region',
  icon: IconCheck,
  group: 'Edit',
  keys: ['shift+enter'],
  quiet: true,
  available: (editor) => editable(editor) && withRegions(editor),
  run: (editor) => editor.confirm(editor.state.selected),
}
