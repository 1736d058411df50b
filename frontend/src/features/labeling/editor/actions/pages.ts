import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'

import type { EditorStore } from '../store'
import { view, type Action } from './action'

const hasPages = (editor: EditorStore): boolean => editor.config.objects.some((object) => object.tag === 'Pdf')

export const nextPage: Action = { id: 'annotation.page-next', label: 'Next page', icon: IconChevronRight, group: 'View', keys: ['PageDown'], available: hasPages, run: (editor) => view(editor, 'turn')?.(1) }

export const previousPage: Action = { id: 'annotation.page-previous', label: 'Page before', icon: IconChevronLeft, group: 'View', keys: ['PageUp'], available: hasPages, run: (editor) => view(editor, 'turn')?.(-1) }
