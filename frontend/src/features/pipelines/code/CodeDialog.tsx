/** The dialog in which a code step is written; what it needs is loaded when it first opens. */
import { Center, Loader, Modal, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense } from 'react'

import { useEditor, useEditorState } from '../canvas/hooks'

const CodeStudio = lazy(() => import('./CodeStudio'))

export function CodeDialog({ project }: { project: string }) {
  const editor = useEditor()
  const dialog = useEditorState((state) => (state.dialog?.name === 'code' ? state.dialog : null))
  const narrow = useMediaQuery('(max-width: 820px)') ?? false
  const close = () => {
    editor.open(null)
    requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-canvas]')?.focus())
  }
  return (
    <Modal
      opened={dialog !== null}
      onClose={close}
      fullScreen={narrow}
      size="min(1240px, 94vw)"
      // Escape closes the list of names, and lets Tab out of the text.
      closeOnEscape={false}
      closeButtonProps={{ 'aria-label': 'Close' }}
      title={<Text fw={620}>{dialog?.code ? 'Code of the step' : 'New code step'}</Text>}
    >
      {dialog && (
        <Suspense
          fallback={
            <Center h={320} aria-busy="true">
              <Loader size="sm" />
            </Center>
          }
        >
          <CodeStudio project={project} code={dialog.code ?? null} step={dialog.step ?? null} onClose={close} />
        </Suspense>
      )}
    </Modal>
  )
}
