/**
 * The annotation editor on a page of its own: a browser test gives it a schema, an item and a result with `start`, reads the
 * result back as `editor.state.result`. `startMap` shows a map of so many points instead, for the benchmark.
 */
import '@fontsource-variable/inter'
import '@mantine/core/styles.css'
import '@/app/global.css'
import { MantineProvider } from '@mantine/core'
import { useState } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'

import { cssVariables, theme } from '@/app/theme'
import type { Points } from '@/features/labeling/explore/data'
import { Scatter } from '@/features/labeling/explore/Scatter'
import { Editor, useEditor, type EditorOptions, type EditorStore } from '@/features/labeling/editor'

type Start = EditorOptions & { key: string }

declare global {
  interface Window {
    start: (options: EditorOptions) => void
    startMap: (count: number) => void
    editor: EditorStore
  }
}

function Page() {
  const [options, setOptions] = useState<Start | null>(null)
  // Once it returns the editor hears its keys: a key pressed at once is not lost.
  window.start = (given) => flushSync(() => setOptions({ ...given, key: String(Date.now()) }))
  const [points, setPoints] = useState<Points | null>(null)
  window.startMap = (count) => flushSync(() => setPoints(scattered(count)))
  if (points) return <main style={{ height: '100dvh', display: 'grid' }}><Scatter points={points} chosen={NONE} mode="move" onChoose={() => undefined} label="A map" /></main>
  return options && <Started options={options} />
}

const NONE: ReadonlySet<number> = new Set()

/** Twelve clouds that overlap. */
function scattered(count: number): Points {
  const ids = Array.from({ length: count }, (_, n) => n)
  const place = (n: number, turn: number) => Math.sin((n % 12) * 2.4 + turn) * 10 + Math.sin(n * 12.9898 + turn) * 4
  return { ids, x: ids.map((n) => place(n, 0)), y: ids.map((n) => place(n, 1.7)), items: ids, values: ids.map((n) => n % 12), names: Array.from({ length: 12 }, (_, n) => `${n}`) }
}

function Started({ options }: { options: Start }) {
  window.editor = useEditor(options)
  return (
    <main id="main" style={{ height: '100dvh', display: 'flex' }}>
      <Editor editor={window.editor} />
    </main>
  )
}

createRoot(document.getElementById('root')!).render(
  <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
    <Page />
  </MantineProvider>,
)
