/** Copy, paste and duplicate. What is copied is a pipeline like any other, as JSON text, so it pastes into another one. */
import { bounds, GRID, snap } from './geometry'
import type { Catalog } from './catalog'
import { keysOf, uniqueKey } from './keys'
import { normalise, referenceIn, toApi, type Graph, type OutputRef, type Position, type Step } from './types'

const FORMAT = 'headrace-steps/1'

export function copyText(graph: Graph, keys: ReadonlySet<string>): string {
  const steps: Record<string, Step> = {}
  for (const key of keys) {
    const step = graph.steps[key]
    if (step) steps[key] = step
  }
  return JSON.stringify({ format: FORMAT, ...toApi({ steps, ...declaredFor(steps, graph.parameters) }) }, null, 2)
}

/** The pipeline's parameters that these steps take: pasted elsewhere, they come along. */
function declaredFor(steps: Graph['steps'], declared: Graph['parameters']): Pick<Graph, 'parameters'> {
  const names = new Set(Object.values(steps).flatMap((step) => Object.values(step.parameters).map((value) => referenceIn(value)).filter((ref) => ref?.kind === '$parameter').map((ref) => ref?.name)))
  const kept = Object.entries(declared ?? {}).filter(([name]) => names.has(name))
  return kept.length > 0 ? { parameters: Object.fromEntries(kept) } : {}
}

/** The steps in a clipboard text, or null when it is something else. */
export function parseClipboard(text: string): Graph | null {
  if (text.length > 4_000_000 || !text.trimStart().startsWith('{')) return null
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || (value as { format?: unknown }).format !== FORMAT) return null
    const graph = normalise(value as Parameters<typeof normalise>[0])
    return Object.keys(graph.steps).length > 0 ? graph : null
  } catch {
    return null
  }
}

/**
 * Adds copied steps under new keys. Wires among them follow; a wire from outside is kept when the step it came from
 * is in this graph too (a duplicate reads the same data), and dropped in another pipeline.
 */
export function paste(graph: Graph, catalog: Catalog, copied: Graph, where?: Position): { graph: Graph; keys: string[] } {
  const taken = keysOf(graph)
  const renamed = new Map<string, string>()
  for (const key of Object.keys(copied.steps)) {
    const fresh = uniqueKey(taken, key)
    taken.add(fresh)
    renamed.set(key, fresh)
  }
  const box = bounds(copied, catalog)
  const shift = where && box ? { x: where.x - box.x - box.width / 2, y: where.y - box.y - box.height / 2 } : { x: 5 * GRID, y: 5 * GRID }
  const steps: Record<string, Step> = { ...graph.steps }
  for (const [key, step] of Object.entries(copied.steps)) {
    const inputs: Record<string, OutputRef[]> = {}
    for (const [port, refs] of Object.entries(step.inputs)) {
      const kept: OutputRef[] = []
      for (const ref of refs) {
        const inside = renamed.get(ref.step)
        if (inside) kept.push({ step: inside, output: ref.output })
        else if (graph.steps[ref.step]) kept.push(ref)
      }
      if (kept.length > 0) inputs[port] = kept
    }
    const from = step.position ?? { x: 0, y: 0 }
    steps[renamed.get(key) as string] = { ...step, inputs, position: snap({ x: from.x + shift.x, y: from.y + shift.y }) }
  }
  const parameters = copied.parameters || graph.parameters ? { parameters: { ...copied.parameters, ...graph.parameters } } : {}
  return { graph: { steps, ...parameters }, keys: [...renamed.values()] }
}

export function duplicate(graph: Graph, catalog: Catalog, keys: ReadonlySet<string>): { graph: Graph; keys: string[] } {
  const steps: Record<string, Step> = {}
  for (const key of keys) {
    const step = graph.steps[key]
    if (step) steps[key] = step
  }
  return paste(graph, catalog, { steps })
}
