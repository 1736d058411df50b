/** The text itself: CodeMirror, kept outside React. `text` is what it begins with; a new `from` begins again. */
import { setDiagnostics } from '@codemirror/lint'
import { EditorState } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import { basicSetup } from 'codemirror'
import { useEffect, useRef } from 'react'

import type { Schemas } from '@/api/client'

import classes from './code.module.css'
import { diagnostics, extensions } from './extensions'

export interface TextEditorProps {
  readonly from: string
  readonly text: string
  readonly readOnly: boolean
  readonly words: readonly Schemas['CodeWord'][]
  readonly problems: readonly Schemas['CodeProblem'][]
  /** Where to put the cursor; `turn` counts requests. */
  readonly go: { line: number; turn: number } | null
  readonly onChange: (text: string) => void
}

export function TextEditor({ from, text, readOnly, words, problems, go, onChange }: TextEditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const latest = useRef({ text, words, onChange })
  useEffect(() => {
    latest.current = { text, words, onChange }
  })
  useEffect(() => {
    if (!place.current) return
    const made = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          extensions(() => latest.current.words),
          basicSetup,
          EditorState.readOnly.of(readOnly),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = made
    return () => {
      view.current = null
      made.destroy()
    }
  }, [from, readOnly])
  useEffect(() => {
    const shown = view.current
    if (shown) shown.dispatch(setDiagnostics(shown.state, diagnostics(shown.state.doc, problems)))
  }, [problems, from])
  useEffect(() => {
    const shown = view.current
    if (!shown || !go || go.line < 1) return
    const line = shown.state.doc.line(Math.min(go.line, shown.state.doc.lines))
    shown.dispatch({ selection: { anchor: line.from }, effects: EditorView.scrollIntoView(line.from, { y: 'center' }) })
    shown.focus()
  }, [go])
  return <div ref={place} className={classes.text} data-code-text />
}
