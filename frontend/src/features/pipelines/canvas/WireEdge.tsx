/** One wire. Its buttons (insert a step, delete) show while it is selected or under the pointer. */
import { BaseEdge, EdgeLabelRenderer, getBezierPath, useStore, type Edge as FlowEdge, type EdgeProps } from '@xyflow/react'
import { IconPlus, IconX } from '@tabler/icons-react'
import { memo, type ReactNode } from 'react'

import * as edit from '../graph/edit'
import type { Edge } from '../graph/types'
import classes from './wires.module.css'
import { useEditor, useEditorState } from './hooks'

export type WireEdgeType = FlowEdge<{ edge: Edge; color: string; label: string; list: boolean; hovered: boolean }, 'wire'>

export const WireEdge = memo(function WireEdge(props: EdgeProps<WireEdgeType>) {
  const editor = useEditor()
  const { id, data, selected, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition } = props
  const [path, x, y] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, curvature: 0.32 })
  const readOnly = useEditorState((state) => state.readOnly)
  const running = useEditorState((state) => (data ? state.status[data.edge.target]?.status === 'running' : false))
  if (!data) return null
  const active = selected || data.hovered
  return (
    <>
      <BaseEdge id={id} path={path} interactionWidth={22} className={classes.wire} data-active={active || undefined} data-running={running || undefined} data-list={data.list || undefined} style={{ stroke: data.color }} />
      {active && !readOnly && (
        <EdgeLabelRenderer>
          <Tools id={id} x={x} y={y}>
            <button type="button" tabIndex={-1} aria-label={`Insert a step into ${data.label}`} data-tip="Insert a step here" onClick={() => editor.open({ name: 'add', edge: data.edge })}>
              <IconPlus size={14} stroke={2.4} aria-hidden />
            </button>
            <button
              type="button"
              tabIndex={-1}
              aria-label={`Delete the wire from ${data.label}`}
              data-tip="Delete this wire"
              onClick={() => editor.change(edit.disconnect(editor.graph, [data.edge]), 'Deleted a wire')}
            >
              <IconX size={14} stroke={2.4} aria-hidden />
            </button>
          </Tools>
        </EdgeLabelRenderer>
      )}
    </>
  )
})

/** Stays as large as a finger needs, however far the canvas is zoomed out. */
function Tools({ id, x, y, children }: { id: string; x: number; y: number; children: ReactNode }) {
  const scale = useStore((state) => Math.max(1, 1 / state.transform[2]))
  return (
    <div className={`${classes.wireTools} nodrag nopan`} data-wire={id} style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px) scale(${scale})` }}>
      {children}
    </div>
  )
}
