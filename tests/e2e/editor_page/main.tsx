/**
 * The annotation editor on a page of its own: a browser test gives it a schema, an item and a result with `start`, reads the
 * result back as `editor.state.result`.
 */
import '@fontsource-variable/inter'
import '@mantine/core/styles.css'
import '@/app/global.css'
import { MantineProvider } from '@mantine/core'
import { useState } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'

import { cssVariables, theme } from '@/app/theme'
import { Editor, useEditor, type EditorOptions, type EditorStore } from '@/features/labeling/editor'

type Start = EditorOptions & { key: string }

declare global {
  interface Window {
    start: (options: EditorOptions) => void
    editor: EditorStore
  }
}

function Page() {
  const [options, setOptions] = useState<Start | null>(null)
  // Once it returns the editor hears its keys: a key pressed at once is not lost.
  window.start = (given) => flushSync(() => setOptions({ ...given, key: String(Date.now()) }))
  return options && <Started options={options} />
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
