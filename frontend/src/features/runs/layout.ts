/** Where a run's steps are drawn: the places the pipeline's author gave, else left to right. Pure. */
import dagre from '@dagrejs/dagre'
import type { Schemas } from '@/api/client'
import { LARGE, layered } from '@/lib/layers'

export const WIDTH = 164
export const HEIGHT = 64

type Graph = Schemas['Graph']

export type Wire = { id: string; source: string; target: string; label: string }

export function wiresOf(graph: Graph): Wire[] {
  const wires: Wire[] = []
  for (const [target, step] of Object.entries(graph.steps ?? {})) {
    for (const [port, refs] of Object.entries(step.inputs ?? {})) {
      for (const ref of refs) wires.push({ id: `${ref.step}.${ref.output}>${target}.${port}`, source: ref.step, target, label: `${ref.output} to ${port}` })
    }
  }
  return wires
}

/** Top-left corners by step. */
export function places(graph: Graph): Record<string, { x: number; y: number }> {
  const steps = Object.keys(graph.steps ?? {})
  if (steps.length >= LARGE) {
    const size = { width: WIDTH, height: HEIGHT }
    return Object.fromEntries(layered(new Map(steps.map((step) => [step, size])), wiresOf(graph).map(({ source, target }) => [source, target] as const), { node: 14, layer: 26 }))
  }
  const drawing = new dagre.graphlib.Graph()
  drawing.setGraph({ rankdir: 'LR', nodesep: 14, ranksep: 26 })
  drawing.setDefaultEdgeLabel(() => ({}))
  for (const step of steps) drawing.setNode(step, { width: WIDTH, height: HEIGHT })
  for (const wire of wiresOf(graph)) if (drawing.hasNode(wire.source)) drawing.setEdge(wire.source, wire.target)
  dagre.layout(drawing)
  return Object.fromEntries(
    steps.map((step) => {
      const node = drawing.node(step) as { x: number; y: number }
      return [step, { x: node.x - WIDTH / 2, y: node.y - HEIGHT / 2 }]
    }),
  )
}
