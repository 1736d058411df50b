/** Tidy-up: left to right in the order of the data. */
import dagre from '@dagrejs/dagre'

import { LARGE, layered, type Size } from '@/lib/layers'
import type { Catalog } from './catalog'
import { at, bounds, snap, stepSize } from './geometry'
import { edgesOf, type Graph, type Position } from './types'

/**
 * New positions for `keys` (all steps when left out). When only some are tidied they stay around where their top left
 * corner was, so that tidying a corner of a large pipeline does not move the rest.
 */
export function tidy(graph: Graph, catalog: Catalog, keys?: ReadonlySet<string>): Record<string, Position> {
  const chosen = Object.keys(graph.steps).filter((key) => !keys || keys.has(key))
  if (chosen.length === 0) return {}
  const corners = corner(graph, new Map(chosen.flatMap((key) => (graph.steps[key] ? [[key, stepSize(catalog, graph.steps[key])] as const] : []))))
  const origin = keys ? (bounds(graph, catalog, chosen) ?? { x: 0, y: 0 }) : { x: 0, y: 0 }
  const placed: Record<string, Position> = {}
  let left = Infinity
  let top = Infinity
  for (const key of chosen) {
    const spot = corners.get(key) ?? { x: 0, y: 0 }
    placed[key] = spot
    left = Math.min(left, spot.x)
    top = Math.min(top, spot.y)
  }
  for (const key of chosen) {
    const spot = placed[key] as Position
    placed[key] = snap({ x: spot.x - left + origin.x, y: spot.y - top + origin.y })
  }
  return placed
}

/** Top-left corners of steps by themselves: by dagre, which finds few crossings, or in plain layers where that would take seconds. */
function corner(graph: Graph, sizes: ReadonlyMap<string, Size>): Map<string, Position> {
  const wires = edgesOf(graph).filter((edge) => sizes.has(edge.source) && sizes.has(edge.target))
  if (sizes.size >= LARGE) return layered(sizes, wires.map((edge) => [edge.source, edge.target] as const), { node: 32, layer: 64 })
  const drawing = new dagre.graphlib.Graph({ multigraph: true })
  drawing.setGraph({ rankdir: 'LR', nodesep: 32, ranksep: 64, edgesep: 16, marginx: 0, marginy: 0 })
  drawing.setDefaultEdgeLabel(() => ({}))
  for (const [key, size] of sizes) drawing.setNode(key, { ...size })
  for (const edge of wires) drawing.setEdge(edge.source, edge.target, {}, `${edge.output}>${edge.port}`)
  dagre.layout(drawing)
  return new Map(
    [...sizes].map(([key, size]) => {
      const node = drawing.node(key) as { x: number; y: number }
      return [key, { x: node.x - size.width / 2, y: node.y - size.height / 2 }]
    }),
  )
}

/** The graph with a position for every step: those that have none (from YAML, from a script) are laid out. */
export function placed(graph: Graph, catalog: Catalog): Graph {
  const steps = Object.values(graph.steps)
  if (steps.every((step) => step.position)) return graph
  const spots = tidy(graph, catalog)
  if (steps.some((step) => step.position)) {
    // Some were placed by hand: keep those, put the new ones below them.
    const fixed = bounds(graph, catalog, Object.keys(graph.steps).filter((key) => graph.steps[key]?.position))
    const drop = fixed ? fixed.y + fixed.height + 48 : 0
    for (const [key, step] of Object.entries(graph.steps)) {
      const spot = spots[key] as Position
      spots[key] = step.position ? at(step) : snap({ x: spot.x + (fixed?.x ?? 0), y: spot.y + drop })
    }
  }
  const next: Record<string, Graph['steps'][string]> = {}
  for (const [key, step] of Object.entries(graph.steps)) next[key] = step.position ? step : { ...step, position: spots[key] ?? null }
  return { ...graph, steps: next }
}
