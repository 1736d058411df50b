import { IconArrowsMaximize, IconHelp, IconLayoutSidebarRight, IconSquareNumber1, IconTag, IconZoomIn, IconZoomOut, IconZoomScan } from '@tabler/icons-react'

import { hasPicture, plays } from '../config'
import { always, view, withRegions, type Action } from './action'
import type { EditorStore } from '../store'

const zooms = (editor: EditorStore): boolean => hasPicture(editor.config) || editor.config.objects.some(plays)
const onImage = (editor: EditorStore): boolean => hasPicture(editor.config)

export const zoomIn: Action = { id: 'annotation.zoom-in', label: 'Zoom in', icon: IconZoomIn, group: 'View', keys: ['+', '='], available: zooms, run: (editor) => view(editor, 'zoom')?.(1.25) }

export const zoomOut: Action = { id: 'annotation.zoom-out', label: 'Zoom out', icon: IconZoomOut, group: 'View', keys: ['-', '_'], available: zooms, run: (editor) => view(editor, 'zoom')?.(1 / 1.25) }

export const fit: Action = { id: 'annotation.fit', label: 'Fit the whole', icon: IconArrowsMaximize, group: 'View', keys: ['f', 'ctrl+0'], available: zooms, run: (editor) => view(editor, 'fit')?.() }

export const actual: Action = { id: 'annotation.actual', label: 'Actual pixels (1:1)', icon: IconSquareNumber1, group: 'View', keys: ['shift+f'], available: onImage, run: (editor) => view(editor, 'actual')?.() }

export const zoomTo: Action = {
  id: 'annotation.zoom-to',
  label: 'Zoom to the selection',
  icon: IconZoomScan,
  group: 'View',
  keys: ['z'],
  available: withRegions,
  run: (editor) => view(editor, 'show')?.(editor.state.selected),
}

export const texts: Action = {
  id: 'annotation.texts',
  label: 'Labels beside shapes',
  icon: IconTag,
  group: 'View',
  keys: ['shift+l'],
  available: onImage,
  run: (editor) => editor.look({ texts: !editor.state.looks.texts }),
}

export const panel: Action = {
  id: 'annotation.panel',
  label: 'Show or hide the panel',
  icon: IconLayoutSidebarRight,
  group: 'View',
  keys: ['ctrl+b'],
  available: always,
  run: (editor) => editor.look({ panel: !editor.state.looks.panel }),
}

export const help: Action = { id: 'annotation.help', label: 'All keys', icon: IconHelp, group: 'View', keys: ['?'], available: always, run: (editor) => editor.set({ help: !editor.state.help }) }
