/** The drawing: React Flow over the graph. It draws what the editor holds and turns gestures into the editor's verbs. */
import '@xyflow/react/dist/style.css'

import { useComputedColorScheme } from '@mantine/core'
import { Background, BackgroundVariant, ConnectionLineType, MiniMap, ReactFlow, SelectionMode, ViewportPortal, type Connection, type EdgeChange, type FinalConnectionState, type NodeChange, type OnConnectEnd } from '@xyflow/react'
import { IconPointerFilled } from '@tabler/icons-react'
import { useCallback, useEffect, useRef, useState, type DragEvent, type MouseEvent as ReactMouseEvent, type RefObject } from 'react'

import { SMALLEST } from '@/lib/window'
import { Overview } from '@/ui/Overview'

import { readCodeName } from '../code/queries'
import { componentOf } from '../graph/catalog'
import { fittingPorts, insertableComponents, type OpenEnd } from '../graph/connect'
import * as edit from '../graph/edit'
import { outputKind } from '../graph/kinds'
import { GRID, snap, WIDTH } from '../graph/geometry'
import { edgeId, edgesOf, same, type Edge, type Position, type Step } from '../graph/types'
import classes from './canvas.module.css'
import wires from './wires.module.css'
import { useEditor, useEditorState, useGraph } from './hooks'
import { openInside } from '../graph/nested'
import { stageLook } from './look'
import { StepNode, type StepNodeType } from './StepNode'
import { useDrawn } from './useDrawn'
import { WireEdge, type WireEdgeType } from './WireEdge'

export const DRAG_TYPE = 'application/x-headrace-component'
const nodeTypes = { step: StepNode }
const edgeTypes = { wire: WireEdge }
const NO_DRAG: Record<string, Position> = {}

function endOf(step: string | null | undefined, handle: string | null | undefined): OpenEnd | null {
  if (!step || !handle) return null
  const [side, ...rest] = handle.split(':')
  return { step, port: rest.join(':'), side: side === 'in' ? 'input' : 'output' }
}

function edgeOf(connection: { source: string | null; sourceHandle?: string | null; target: string | null; targetHandle?: string | null }): Edge | null {
  const from = endOf(connection.source, connection.sourceHandle)
  const to = endOf(connection.target, connection.targetHandle)
  return from && to ? { source: from.step, output: from.port, target: to.step, port: to.port } : null
}

export function Canvas({ onCursor, onOpen }: { onCursor?: (at: Position | null) => void; onOpen?: (step: Step) => void }) {
  const editor = useEditor()
  const graph = useGraph()
  const catalog = useEditorState((state) => state.catalog)
  const selection = useEditorState((state) => state.steps)
  const edgeSelection = useEditorState((state) => state.edges)
  const readOnly = useEditorState((state) => state.readOnly)
  const minimap = useEditorState((state) => state.minimap)
  const pending = useEditorState((state) => state.pending)
  const scheme = useComputedColorScheme('light')
  const [drag, setDrag] = useState(NO_DRAG)
  const [hovered, setHovered] = useState<string | null>(null)
  const wrapper = useRef<HTMLDivElement>(null)

  const { nodes, edges, large, all, marks, view, seeFrom } = useDrawn({ editor, graph, catalog, selection, edgeSelection, pending: pending?.step ?? null, drag, hovered, wrapper })

  const onNodesChange = useCallback(
    (changes: NodeChange<StepNodeType>[]) => {
      let chosen: Set<string> | null = null
      let moved: Record<string, Position> | null = null
      for (const change of changes) {
        if (change.type === 'select') {
          chosen ??= new Set(editor.state.steps)
          if (change.selected) chosen.add(change.id)
          else chosen.delete(change.id)
        } else if (change.type === 'position' && change.position && change.dragging) {
          moved ??= {}
          moved[change.id] = change.position
        }
      }
      if (chosen) editor.set({ steps: chosen })
      if (moved) setDrag((now) => ({ ...now, ...moved }))
    },
    [editor],
  )

  const onEdgesChange = useCallback(
    (changes: EdgeChange<WireEdgeType>[]) => {
      const chosen = new Set(editor.state.edges)
      for (const change of changes) {
        if (change.type !== 'select') continue
        if (change.selected) chosen.add(change.id)
        else chosen.delete(change.id)
      }
      editor.set({ edges: chosen })
    },
    [editor],
  )

  const dropMoved = useCallback(
    (moved: { id: string; position: Position }[]) => {
      setDrag(NO_DRAG)
      const positions = Object.fromEntries(moved.map((node) => [node.id, node.position]))
      editor.change(edit.move(editor.graph, positions), moved.length === 1 ? `Moved ${editor.title(moved[0]?.id ?? '')}` : `Moved ${moved.length} steps`)
    },
    [editor],
  )

  const isValidConnection = useCallback(
    (connection: Connection | { source: string; target: string; sourceHandle?: string | null; targetHandle?: string | null }) => {
      const edge = edgeOf(connection)
      return edge !== null && editor.why(edge) === ''
    },
    [editor],
  )

  const onConnectEnd = useCallback<OnConnectEnd>(
    (event, state: FinalConnectionState) => {
      const from = endOf(state.fromNode?.id, state.fromHandle?.id)
      editor.stop()
      if (!from || state.isValid) return
      const to = endOf(state.toNode?.id, state.toHandle?.id)
      if (to) {
        const edge = editor.edgeBetween(from, to)
        if (to.step === from.step && to.port === from.port) return
        editor.refuse(edge ? editor.why(edge) : 'A wire goes from an output to an input.')
        return
      }
      const point = 'changedTouches' in event ? event.changedTouches[0] : event
      if (!point) return
      // Let go over a step, not exactly on a port: the first port that fits takes the wire.
      const over = document.elementFromPoint(point.clientX, point.clientY)?.closest<HTMLElement>('.react-flow__node')?.dataset.id
      if (over && over !== from.step) {
        const fit = fittingPorts(editor.graph, editor.catalog, from).find((candidate) => candidate.step === over)
        if (fit) editor.connect(fit.edge)
        else editor.refuse(`“${editor.title(over)}” has no free port for this wire.`)
        return
      }
      if (over || !editor.flow) return
      const spot = editor.flow.screenToFlowPosition({ x: point.clientX, y: point.clientY })
      editor.open({ name: 'add', end: from, position: { x: from.side === 'output' ? spot.x : spot.x - WIDTH, y: spot.y - 66 } })
    },
    [editor],
  )

  const onDrop = (event: DragEvent) => {
    const component = catalog.components.get(event.dataTransfer.getData(DRAG_TYPE))
    if (!component || !editor.flow) return
    event.preventDefault()
    const spot = editor.flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })
    const wire = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('.react-flow__edge')?.dataset.id
    const edge = wire ? edgesOf(editor.graph).find((candidate) => edgeId(candidate) === wire) : undefined
    const kind = edge ? outputKind(graph, catalog, edge.source, edge.output) : undefined
    const fits = edge && kind && insertableComponents(catalog, kind).includes(component)
    editor.add(component, fits ? { edge } : { position: snap({ x: spot.x - WIDTH / 2, y: spot.y - 30 }) })
    wrapper.current?.focus()
  }

  const menu = (on: 'step' | 'edge' | 'canvas') => (event: ReactMouseEvent | MouseEvent) => {
    event.preventDefault()
    editor.set({ menu: { x: event.clientX, y: event.clientY, on } })
  }

  const total = Object.keys(graph.steps).length
  const empty = total === 0
  return (
    // The canvas is one stop of the Tab key; inside, arrows walk and the live region speaks.
    <div
      ref={wrapper}
      className={classes.canvas}
      data-canvas
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the canvas is operated by keys
      tabIndex={0}
      role="application"
      aria-roledescription="pipeline canvas"
      aria-label={`Pipeline with ${total} ${total === 1 ? 'step' : 'steps'}. Arrow keys walk from step to step, slash adds a step, C connects, question mark shows all keys.`}
      data-pending={pending?.by}
      onDragOver={(event) => {
        if (!readOnly && event.dataTransfer.types.includes(DRAG_TYPE)) {
          event.preventDefault()
          event.dataTransfer.dropEffect = 'copy'
        }
      }}
      onDrop={onDrop}
      onPointerMove={(event) => {
        if (!editor.flow) return
        editor.pointer = editor.flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }, { snapToGrid: false })
        onCursor?.(editor.pointer)
      }}
      onPointerLeave={() => {
        editor.pointer = null
        onCursor?.(null)
      }}
      onDoubleClick={(event) => {
        if (readOnly || !(event.target as Element).classList.contains('react-flow__pane') || !editor.flow) return
        const spot = editor.flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })
        editor.open({ name: 'add', position: { x: spot.x - WIDTH / 2, y: spot.y - 40 } })
      }}
    >
      <ReactFlow<StepNodeType, WireEdgeType>
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        colorMode={scheme}
        onInit={(flow) => {
          editor.flow = flow as unknown as typeof editor.flow
          seeFrom(flow.getViewport())
        }}
        onMove={(_event, viewport) => seeFrom(viewport)}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        onNodeDragStop={(_event, node, all) => dropMoved(all.length > 0 ? all : [node])}
        onSelectionDragStop={(_event, all) => dropMoved(all)}
        onNodeDoubleClick={(_event, node) => {
          const code = readCodeName(node.data.step.component)
          if (code) editor.open({ name: 'code', code, step: node.id })
          else if (openInside(node.data.step)) onOpen?.(node.data.step)
          else editor.set({ inspector: true })
        }}
        onConnectStart={(_event, { nodeId, handleId }) => {
          const end = endOf(nodeId, handleId)
          if (end) editor.start(end, 'drag')
        }}
        onConnect={(connection) => {
          const edge = edgeOf(connection)
          if (edge) editor.connect(edge)
        }}
        onConnectEnd={onConnectEnd}
        onReconnect={(old, connection) => {
          const edge = edgeOf(connection)
          if (edge && old.data) editor.reconnect(old.data.edge, edge)
        }}
        onReconnectEnd={(_event, old, _type, state) => {
          editor.stop()
          if (!old.data || state.isValid) return
          const to = endOf(state.toNode?.id, state.toHandle?.id)
          if (to) {
            const edge = editor.edgeBetween({ step: old.data.edge.source, port: old.data.edge.output, side: 'output' }, to)
            if (edge && !same(edge, old.data.edge)) editor.refuse(editor.why(edge))
            return
          }
          // Pulled off into the empty plane: the wire is gone (and undo brings it back).
          if (!state.toNode) editor.change(edit.disconnect(editor.graph, [old.data.edge]), 'Deleted a wire')
        }}
        isValidConnection={isValidConnection}
        onEdgeMouseEnter={(_event, edge) => setHovered(edge.id)}
        onEdgeMouseLeave={(event) => {
          if (!(event.relatedTarget instanceof Element) || !event.relatedTarget.closest('[data-wire]')) setHovered(null)
        }}
        onPaneMouseMove={() => setHovered(null)}
        onPaneClick={() => editor.stop()}
        onNodeContextMenu={(event, node) => {
          if (!editor.state.steps.has(node.id)) editor.select([node.id])
          menu('step')(event)
        }}
        onEdgeContextMenu={(event, edge) => {
          editor.select([], [edge.id])
          menu('edge')(event)
        }}
        onSelectionContextMenu={menu('step')}
        onPaneContextMenu={menu('canvas')}
        nodesDraggable={!readOnly}
        nodesConnectable={!readOnly}
        edgesReconnectable={!readOnly}
        reconnectRadius={14}
        connectOnClick={false}
        connectionRadius={28}
        connectionLineType={ConnectionLineType.Bezier}
        connectionLineStyle={{ stroke: 'var(--hr-focus)', strokeWidth: 2.5 }}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={['Shift', 'Meta', 'Control']}
        selectionMode={SelectionMode.Partial}
        panOnScroll
        zoomOnDoubleClick={false}
        snapToGrid
        snapGrid={[GRID, GRID]}
        minZoom={large ? SMALLEST : 0.05}
        maxZoom={2}
        onlyRenderVisibleElements
        elevateNodesOnSelect
        attributionPosition="top-right"
      >
        <Background variant={BackgroundVariant.Dots} gap={GRID * 3} size={1.4} color="var(--hr-dots)" />
        {minimap && !empty && !large && (
          <MiniMap<StepNodeType>
            className={wires.minimap}
            pannable
            zoomable
            ariaLabel="Overview of the pipeline"
            nodeColor={(node) => `var(--mantine-color-${stageLook(componentOf(catalog, node.data.step)?.stage ?? '').color}-5)`}
            nodeBorderRadius={12}
            maskColor="var(--hr-mask)"
          />
        )}
        <Cursors />
      </ReactFlow>
      {minimap && large && <Overview marks={marks} all={all} view={view} onGo={(x, y) => void editor.flow?.setCenter(x, y, { zoom: editor.flow.getZoom() })} />}
      <PortTip within={wrapper} />
    </div>
  )
}

/** Other people's pointers. */
function Cursors() {
  const peers = useEditorState((state) => state.peers)
  return (
    <ViewportPortal>
      {peers.map(
        (peer) =>
          peer.cursor && (
            <div key={peer.client} className={wires.cursor} style={{ transform: `translate(${peer.cursor.x}px, ${peer.cursor.y}px)`, color: peer.color }} aria-hidden>
              <IconPointerFilled size={18} />
              <span style={{ background: peer.color }}>{peer.name}</span>
            </div>
          ),
      )}
    </ViewportPortal>
  )
}

/** One tip for all ports, wires and marks: thousands of tooltip components would cost more than the canvas itself. */
function PortTip({ within }: { within: RefObject<HTMLDivElement | null> }) {
  const [tip, setTip] = useState<{ text: string; x: number; y: number } | null>(null)
  useEffect(() => {
    const root = within.current
    if (!root) return
    let timer: ReturnType<typeof setTimeout> | undefined
    let shown: Element | null = null
    const over = (event: Event) => {
      const target = (event.target as Element).closest('[data-tip]')
      if (target === shown) return
      clearTimeout(timer)
      shown = target
      setTip(null)
      const text = target?.getAttribute('data-tip')
      if (!target || !text) return
      timer = setTimeout(() => {
        const box = target.getBoundingClientRect()
        const frame = root.getBoundingClientRect()
        setTip({ text, x: box.left - frame.left + box.width / 2, y: box.bottom - frame.top + 6 })
      }, 350)
    }
    const hide = (event: Event) => {
      if (event.type === 'keydown' && (event as KeyboardEvent).key !== 'Escape') return
      clearTimeout(timer)
      shown = null
      setTip(null)
    }
    root.addEventListener('pointerover', over)
    root.addEventListener('pointerleave', hide)
    root.addEventListener('pointerdown', hide, true)
    root.addEventListener('wheel', hide, { passive: true })
    window.addEventListener('keydown', hide)
    return () => {
      clearTimeout(timer)
      root.removeEventListener('pointerover', over)
      root.removeEventListener('pointerleave', hide)
      root.removeEventListener('pointerdown', hide, true)
      root.removeEventListener('wheel', hide)
      window.removeEventListener('keydown', hide)
    }
  }, [within])
  if (!tip) return null
  return (
    <div className={wires.tip} role="tooltip" style={{ left: tip.x, top: tip.y }}>
      {tip.text.split('\n').map((line, index) => (
        <div key={index}>{line}</div>
      ))}
    </div>
  )
}
