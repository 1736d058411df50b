/** The panels beside the canvas: the palette and the details; on a phone both are drawers. */
import { ActionIcon, Button, Drawer, Text, Tooltip } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { IconLayoutSidebarLeftExpand, IconLayoutSidebarRightExpand } from '@tabler/icons-react'
import { useEffect, type KeyboardEvent as ReactKeyboardEvent, type PointerEvent as ReactPointerEvent, type ReactNode } from 'react'

import { useEditor, useEditorState } from './hooks'
import { Inspector, type Choices } from './Inspector'
import { Palette } from './Palette'
import classes from './panels.module.css'

export function LeftPanel({ counts }: { counts: Map<string, Map<string, number>> }) {
  const editor = useEditor()
  const opened = useEditorState((state) => state.palette)
  if (!opened) return <Reopen side="left" label="Show the components" onClick={() => editor.set({ palette: true })} />
  return (
    <SidePanel side="left" label="Components" initial={240} least={200} most={460}>
      <Palette counts={counts} />
    </SidePanel>
  )
}

export function RightPanel({ choices }: { choices: Choices }) {
  const editor = useEditor()
  const opened = useEditorState((state) => state.inspector)
  if (!opened) return <Reopen side="right" label="Show the details" onClick={() => editor.set({ inspector: true })} />
  return (
    <SidePanel side="right" label="Details" initial={320} least={280} most={620}>
      <Inspector choices={choices} />
    </SidePanel>
  )
}

function Reopen({ side, label, onClick }: { side: 'left' | 'right'; label: string; onClick: () => void }) {
  return (
    <div className={classes.side} data-side={side}>
      <Tooltip label={label} position={side === 'left' ? 'right' : 'left'}>
        <ActionIcon m={6} aria-label={label} onClick={onClick}>
          {side === 'left' ? <IconLayoutSidebarLeftExpand size={18} aria-hidden /> : <IconLayoutSidebarRightExpand size={18} aria-hidden />}
        </ActionIcon>
      </Tooltip>
    </div>
  )
}

/** A panel whose width is set by dragging its edge or with the arrow keys, and remembered. */
function SidePanel({ side, label, initial, least, most, children }: { side: 'left' | 'right'; label: string; initial: number; least: number; most: number; children: ReactNode }) {
  const editor = useEditor()
  const [width, setWidth] = useLocalStorage({ key: `headrace.panel.${side}`, defaultValue: initial, getInitialValueInEffect: false })
  const clamp = (wanted: number) => Math.min(most, Math.max(least, Math.round(wanted)))
  const drag = (event: ReactPointerEvent<HTMLDivElement>) => {
    event.preventDefault()
    const from = event.clientX
    const target = event.currentTarget
    target.setPointerCapture(event.pointerId)
    const move = (now: PointerEvent) => setWidth(clamp(width + (side === 'left' ? now.clientX - from : from - now.clientX)))
    const stop = () => {
      target.removeEventListener('pointermove', move)
      target.removeEventListener('pointerup', stop)
      target.removeEventListener('pointercancel', stop)
    }
    target.addEventListener('pointermove', move)
    target.addEventListener('pointerup', stop)
    target.addEventListener('pointercancel', stop)
  }
  const key = (event: ReactKeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 16 : event.key === 'ArrowLeft' ? -16 : 0
    if (step === 0) return
    event.preventDefault()
    setWidth(clamp(width + (side === 'left' ? step : -step)))
  }
  return (
    <aside className={classes.side} data-side={side} style={{ width }} aria-label={label}>
      {children}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a focusable separator is the ARIA window splitter */}
      <div
        className={classes.resize}
        data-side={side}
        role="separator"
        aria-orientation="vertical"
        aria-label={`Width of ${label}`}
        aria-valuenow={width}
        aria-valuemin={least}
        aria-valuemax={most}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
        tabIndex={0}
        onPointerDown={drag}
        onKeyDown={key}
        onDoubleClick={() => editor.set(side === 'left' ? { palette: false } : { inspector: false })}
      />
    </aside>
  )
}

/** On a phone: the palette comes from the left, the details from below when a step is chosen. */
export function Drawers({ counts, choices }: { counts: Map<string, Map<string, number>>; choices: Choices }) {
  const editor = useEditor()
  const palette = useEditorState((state) => state.palette)
  const inspector = useEditorState((state) => state.inspector)
  const chosen = useEditorState((state) => state.steps.size === 1)
  // All begin closed here: on a phone they would cover the canvas.
  useEffect(() => {
    editor.set({ palette: false, inspector: false, minimap: false })
    return () => editor.set({ palette: true, inspector: true, minimap: true })
  }, [editor])
  return (
    <>
      <Drawer opened={palette} onClose={() => editor.set({ palette: false })} title={<Text fw={620}>Components</Text>} size="min(340px, 92vw)" styles={{ body: { padding: 0, height: 'calc(100% - 60px)' } }}>
        <Palette counts={counts} onAdded={() => editor.set({ palette: false })} />
      </Drawer>
      {chosen && !inspector && (
        <Button size="xs" style={{ position: 'absolute', zIndex: 6, right: 12, bottom: 20 }} onClick={() => editor.set({ inspector: true })}>
          Parameters
        </Button>
      )}
      <Drawer opened={inspector && chosen} onClose={() => editor.set({ inspector: false })} position="bottom" size="78%" title={<Text fw={620}>Step</Text>} styles={{ body: { padding: 0, height: 'calc(100% - 60px)' } }}>
        <Inspector choices={choices} />
      </Drawer>
    </>
  )
}
