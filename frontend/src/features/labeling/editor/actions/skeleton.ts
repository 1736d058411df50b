import { IconEyeDotted, IconPlayerSkipForward } from '@tabler/icons-react'

import { occlude as occludePoints, skipPoint } from '../skeleton'
import type { EditorStore } from '../store'
import { editable, type Action } from './action'

const places = (editor: EditorStore): boolean => editable(editor) && (editor.drawer?.skeleton.length ?? 0) > 0
const has = (editor: EditorStore): boolean => editable(editor) && editor.config.controls.some((control) => control.skeleton.length > 0)

export const skip: Action = { id: 'annotation.skeleton-skip', label: 'Skip this point: it is not in the image', icon: IconPlayerSkipForward, group: 'Draw', keys: ['.'], quiet: true, available: places, run: skipPoint }

export const occlude: Action = { id: 'annotation.skeleton-occluded', label: 'Point hidden by something, or seen', icon: IconEyeDotted, group: 'Draw', keys: ['shift+k'], quiet: true, available: has, run: occludePoints }
