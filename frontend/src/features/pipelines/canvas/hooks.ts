/** How components read the editor: a part at a time, so that a change redraws only what shows it. */
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react'

import type { Graph, Step } from '../graph/types'
import type { Editor, EditorState } from './editor'

export const EditorContext = createContext<Editor | null>(null)

export function useEditor(): Editor {
  const editor = useContext(EditorContext)
  if (!editor) throw new Error('useEditor is used outside of a pipeline page.')
  return editor
}

/** The selector must return the same value (a primitive, or an object of the state) while nothing it reads changed. */
export function useEditorState<T>(select: (state: EditorState) => T): T {
  const editor = useEditor()
  return useSyncExternalStore(editor.subscribe, () => select(editor.state))
}

function useBoth(editor: Editor) {
  return useCallback(
    (listener: () => void) => {
      const offs = [editor.subscribe(listener), editor.draft.subscribe(listener)]
      return () => offs.forEach((off) => off())
    },
    [editor],
  )
}

export function useGraph(): Graph {
  const editor = useEditor()
  return useSyncExternalStore(useBoth(editor), () => editor.graph)
}

export function useStep(key: string | null): Step | undefined {
  const editor = useEditor()
  return useSyncExternalStore(useBoth(editor), () => (key ? editor.graph.steps[key] : undefined))
}

/** The one selected step, or null. */
export function useCurrent(): string | null {
  const editor = useEditor()
  return useSyncExternalStore(useBoth(editor), () => editor.current)
}
