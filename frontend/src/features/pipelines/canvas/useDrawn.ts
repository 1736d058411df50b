/**
 * What of the graph is handed to React Flow: all of a small one; of a large one what lies near the view, and what is selected, dragged
 * or being wired wherever it is. React Flow looks at each node it was given with every change.
 */
import { useCallback, useEffect, useMemo, useRef, useState, type RefObject } from 'react'
import type { Viewport } from '@xyflow/react'

import type { Box } from '@/lib/view'
import { MANY, near, sameBox, within } from '@/lib/window'
import type { Mark } from '@/ui/Overview'

import { componentOf, kindOf, type Catalog } from '../graph/catalog'
import { at, bounds, HANDLE, portSpots, stepSize, WIDTH } from '../graph/geometry'
import { givesList, outputKind } from '../graph/kinds'
import { edgeId, edgesOf, type Graph, type Position, type Step } from '../graph/types'
import type { Editor } from './editor'
import { kindColor, stageLook } from './look'
import type { StepNodeType } from './StepNode'
import type { WireEdgeType } from './WireEdge'

/** No step is larger: the window must not miss one whose foot alone is in view. */
const LARGEST = { width: WIDTH, height: 800 }
const NOTHING: Box = { x: 0, y: 0, width: 0, height: 0 }

interface Given {
  readonly editor: Editor
  readonly graph: Graph
  readonly catalog: Catalog
  readonly selection: ReadonlySet<string>
  readonly edgeSelection: ReadonlySet<string>
  /** The step from which a wire is being drawn. */
  readonly pending: string | null
  readonly drag: Readonly<Record<string, Position>>
  readonly hovered: string | null
  readonly wrapper: RefObject<HTMLElement | null>
}

export function useDrawn({ editor, graph, catalog, selection, edgeSelection, pending, drag, hovered, wrapper }: Given) {
  const large = Object.keys(graph.steps).length > MANY
  const [frame, setFrame] = useState<Box | null>(null)
  const [view, setView] = useState<Box | null>(null)
  const wires = useMemo(() => edgesOf(graph), [graph])
  const spots = useMemo(() => (large ? Object.fromEntries(Object.entries(graph.steps).map(([key, step]) => [key, at(step)])) : {}), [graph, large])
  const around = useMemo(() => (large ? (frame ? within(frame, spots, LARGEST, wires) : new Set<string>()) : null), [large, frame, spots, wires])
  const seen = useMemo(() => around && new Set([...around, ...selection, ...(pending ? [pending] : [])]), [around, selection, pending])
  const all = useMemo(() => (large && bounds(graph, catalog)) || NOTHING, [large, graph, catalog])
  const marks = useMemo(
    () => (large ? Object.values(graph.steps).map((step): Mark => ({ ...at(step), ...stepSize(catalog, step), color: stageLook(componentOf(catalog, step)?.stage ?? '').color })) : []),
    [large, graph, catalog],
  )

  const seeFrom = useCallback(
    ({ x, y, zoom }: Viewport) => {
      if (!large) return
      const room = { width: wrapper.current?.clientWidth ?? 0, height: wrapper.current?.clientHeight ?? 0 }
      const next = near({ x, y, zoom }, room)
      setFrame((before) => (sameBox(before, next) ? before : next))
      setView({ x: -x / zoom, y: -y / zoom, width: room.width / zoom, height: room.height / zoom })
    },
    [large, wrapper],
  )
  // A window that grows, or a pipeline that becomes large, shows more of it without a move of the view.
  useEffect(() => {
    if (!large || !wrapper.current) return
    const look = () => editor.flow && seeFrom(editor.flow.getViewport())
    const watching = new ResizeObserver(look)
    watching.observe(wrapper.current)
    look()
    return () => watching.disconnect()
  }, [large, wrapper, editor, seeFrom])

  // Nodes and edges that did not change keep their identity, so React Flow and memo skip them.
  const nodeCache = useRef(new Map<string, { step: Step; selected: boolean; x: number; y: number; catalog: unknown; kinds: string; node: StepNodeType }>())
  const nodes = useMemo(() => {
    const cache = nodeCache.current
    const fresh: typeof cache = new Map()
    const list: StepNodeType[] = []
    for (const [key, step] of Object.entries(graph.steps)) {
      if (seen && !seen.has(key)) continue
      const { x, y } = drag[key] ?? at(step)
      const selected = selection.has(key)
      // What a component hands on has the kind of what arrives there.
      const passed = Object.keys(componentOf(catalog, step)?.passes ?? {}).map((output) => [output, outputKind(graph, catalog, key, output)] as const)
      const kinds = passed.join(';')
      let entry = cache.get(key)
      if (!entry || entry.kinds !== kinds || entry.step !== step || entry.selected !== selected || entry.x !== x || entry.y !== y || entry.catalog !== catalog) {
        const size = stepSize(catalog, step)
        entry = {
          step,
          selected,
          x,
          y,
          catalog,
          kinds,
          node: {
            id: key,
            type: 'step',
            position: { x, y },
            data: { step, kinds: Object.fromEntries(passed) },
            selected,
            width: size.width,
            height: size.height,
            measured: size,
            handles: portSpots(catalog, step).map((spot) => ({
              id: `${spot.side === 'input' ? 'in' : 'out'}:${spot.name}`,
              type: spot.side === 'input' ? ('target' as const) : ('source' as const),
              position: (spot.side === 'input' ? 'left' : 'right') as never,
              x: spot.x - HANDLE / 2,
              y: spot.y - HANDLE / 2,
              width: HANDLE,
              height: HANDLE,
            })),
          },
        }
      }
      fresh.set(key, entry)
      list.push(entry.node)
    }
    nodeCache.current = fresh
    return list
  }, [graph, catalog, selection, drag, seen])

  const edgeCache = useRef(new Map<string, WireEdgeType>())
  const edges = useMemo(() => {
    const cache = edgeCache.current
    const fresh: typeof cache = new Map()
    for (const edge of wires) {
      if (seen && !(seen.has(edge.source) && seen.has(edge.target))) continue
      const id = edgeId(edge)
      const kind = kindOf(catalog, outputKind(graph, catalog, edge.source, edge.output))
      const color = kindColor(kind.color)
      const selected = edgeSelection.has(id)
      const list = givesList(graph, edge.source)
      const label = editor.edgeLabel(edge)
      const old = cache.get(id)
      const unchanged = old && old.selected === selected && old.data?.list === list && old.data?.color === color && old.data.hovered === (hovered === id) && old.data.label === label
      fresh.set(
        id,
        unchanged
          ? old
          : {
              id,
              type: 'wire',
              source: edge.source,
              sourceHandle: `out:${edge.output}`,
              target: edge.target,
              targetHandle: `in:${edge.port}`,
              selected,
              // Only where it arrives: pulling at an output draws another wire.
              reconnectable: 'target',
              ariaLabel: `Wire from ${label}${list ? ', a list' : ''}`,
              zIndex: selected || hovered === id ? 10 : 0,
              data: { edge, color, label, list, hovered: hovered === id },
            },
      )
    }
    edgeCache.current = fresh
    return [...fresh.values()]
  }, [graph, wires, catalog, edgeSelection, hovered, editor, seen])

  return { nodes, edges, large, all, marks, view, seeFrom }
}
