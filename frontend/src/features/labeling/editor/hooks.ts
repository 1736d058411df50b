/** How pages and components hold and read an editor. */
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useSyncExternalStore } from 'react'

import type { Drawn } from './result'
import type { EditorOptions, EditorState } from './state'
import { EditorStore } from './store'

/**
 * An editor for one item. Another `key` (of the item or the annotation) begins anew with that item's result; label, tool
 * and looks stay. `result` is what it begins with: later ones come with `editor.load(result)`.
 */
export function useEditor(options: EditorOptions & { key: string }): EditorStore {
  const { key, config } = options
  const before = useRef<EditorStore | undefined>(undefined)
  const editor = useMemo(
    () => new EditorStore(options, before.current),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a new editor for another item or schema only; the rest is handed on below
    [key, config],
  )
  useEffect(() => {
    before.current = editor
    editor.onChange = options.onChange
    editor.item = options.item
  })
  const { readOnly = false, suggestions, live } = options
  useEffect(() => live?.subscribe(() => editor.receive()), [editor, live])
  useEffect(() => editor.set({ readOnly }), [editor, readOnly])
  useEffect(() => {
    if (suggestions) editor.set({ suggestions })
  }, [editor, suggestions])
  return editor
}

/** The selector must return the same value (a primitive, or an object of the state) while nothing it reads changed. */
export function useEditorState<T>(editor: EditorStore, select: (state: EditorState) => T): T {
  return useSyncExternalStore(editor.subscribe, () => select(editor.state))
}

export const EditorContext = createContext<EditorStore | null>(null)

export function useStore(): EditorStore {
  const editor = useContext(EditorContext)
  if (!editor) throw new Error('A part of the editor is used outside of <Editor>.')
  return editor
}

export function useStoreState<T>(select: (state: EditorState) => T): T {
  return useEditorState(useStore(), select)
}

/** All regions, the same list while the result is the same. */
export function useRegions(): readonly Drawn[] {
  const editor = useStore()
  return useSyncExternalStore(editor.subscribe, () => editor.regions)
}

/** The one selected region. */
export function useCurrent(): Drawn | undefined {
  const regions = useRegions()
  const selected = useStoreState((state) => state.selected)
  return selected.size === 1 ? regions.find((region) => selected.has(region.id)) : undefined
}

/** Keeps the newest function without making listeners anew. */
export function useLatest<A extends unknown[], R>(wanted: (...given: A) => R): (...given: A) => R {
  const kept = useRef(wanted)
  useEffect(() => {
    kept.current = wanted
  })
  return useCallback((...given: A) => kept.current(...given), [])
}
