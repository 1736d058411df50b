/**
 * Which wires fit, and why one does not. The server checks the same rules again when it saves and runs; these are
 * here so that the refusal comes while the hand is still on the wire.
 */
import { type Catalog, componentOf, inputPort, kindOf, outputPort, stageRank, stepTitle } from './catalog'
import { givesList, kindsFit, outputKind, takesList } from './kinds'
import { reachable } from './order'
import type { Component, Edge, Graph, Port } from './types'

export type Verdict = { readonly ok: true; readonly replaces: Edge | null } | { readonly ok: false; readonly reason: string }

export interface OpenEnd {
  readonly step: string
  readonly port: string
  readonly side: 'input' | 'output'
}

const refuse = (reason: string): Verdict => ({ ok: false, reason })

function article(word: string): string {
  return /^[aeiou]/i.test(word) ? `an ${word}` : `a ${word}`
}

/** May this wire be drawn? A port that takes one wire gives up the one it has: `replaces` names it. */
export function canConnect(graph: Graph, catalog: Catalog, edge: Edge): Verdict {
  const source = graph.steps[edge.source]
  const target = graph.steps[edge.target]
  if (!source || !target) return refuse('One of the two steps is no longer there.')
  if (edge.source === edge.target) return refuse('A step cannot feed itself.')
  const output = outputPort(catalog, source, edge.output)
  const input = inputPort(catalog, target, edge.port)
  const from = stepTitle(catalog, graph, edge.source)
  const to = stepTitle(catalog, graph, edge.target)
  if (!output) return refuse(`“${from}” has no output “${edge.output}”.`)
  if (!input) return refuse(`“${to}” has no input “${edge.port}”.`)
  const kind = outputKind(graph, catalog, edge.source, edge.output)
  if (!kindsFit(kind, input.kind)) {
    const gives = kindOf(catalog, kind).title
    const takes = kindOf(catalog, input.kind).title
    return refuse(`“${input.title}” of “${to}” takes ${article(takes)}; “${output.title}” of “${from}” gives ${article(gives)}.`)
  }
  if (givesList(graph, edge.source) && !takesList(graph, catalog, edge.target, edge.port)) {
    return refuse(`“${from}” is mapped and gives a list; “${input.title}” of “${to}” takes one. Join the list first, or map “${to}” over “${input.title}”.`)
  }
  const wired = target.inputs[edge.port] ?? []
  if (wired.some((ref) => ref.step === edge.source && ref.output === edge.output)) return refuse('These two ports are already connected.')
  if (reachable(graph, edge.target, 'down').has(edge.source)) {
    return refuse(`That would make a circle: “${from}” already depends on “${to}”.`)
  }
  const first = wired[0]
  const replaces = !input.many && first ? { source: first.step, output: first.output, target: edge.target, port: edge.port } : null
  return { ok: true, replaces }
}

export interface Fit {
  readonly edge: Edge
  readonly step: string
  readonly port: Port
  /** The other end's port is free (or takes many): offered first. */
  readonly free: boolean
}

/** Every port of the graph that the given end may be wired to, free ones first. */
export function fittingPorts(graph: Graph, catalog: Catalog, end: OpenEnd): Fit[] {
  const fits: Fit[] = []
  for (const [key, step] of Object.entries(graph.steps)) {
    if (key === end.step) continue
    const component = componentOf(catalog, step)
    for (const port of (end.side === 'output' ? component?.inputs : component?.outputs) ?? []) {
      const edge: Edge =
        end.side === 'output'
          ? { source: end.step, output: end.port, target: key, port: port.name }
          : { source: key, output: port.name, target: end.step, port: end.port }
      const verdict = canConnect(graph, catalog, edge)
      if (verdict.ok) fits.push({ edge, step: key, port, free: verdict.replaces === null })
    }
  }
  return fits.sort((a, b) => Number(b.free) - Number(a.free))
}

/** The first port of a component that takes what the open end gives (or gives what it takes). */
export function fittingPort(component: Component, kind: string, side: 'input' | 'output'): Port | undefined {
  const ports = side === 'output' ? component.inputs : component.outputs
  const exact = ports.filter((port) => port.kind === kind)
  const fitting = exact.length > 0 ? exact : ports.filter((port) => kindsFit(port.kind, kind))
  return fitting.find((port) => port.required) ?? fitting[0]
}

/** Components with a port for `kind`: consumers of an output, or producers for an input. */
export function fittingComponents(catalog: Catalog, kind: string, side: 'input' | 'output'): Component[] {
  return [...catalog.components.values()].filter((component) => fittingPort(component, kind, side) !== undefined)
}

/** Components that may sit in the middle of a wire: they take and give its kind. */
export function insertableComponents(catalog: Catalog, kind: string): Component[] {
  return [...catalog.components.values()].filter(
    (component) => fittingPort(component, kind, 'output') !== undefined && fittingPort(component, kind, 'input') !== undefined,
  )
}

/** How often component B directly follows component A in the given graphs. */
export function successorCounts(graphs: Iterable<Graph>): Map<string, Map<string, number>> {
  const counts = new Map<string, Map<string, number>>()
  for (const graph of graphs) {
    for (const step of Object.values(graph.steps)) {
      for (const refs of Object.values(step.inputs)) {
        for (const ref of refs) {
          const before = graph.steps[ref.step]?.component
          if (!before) continue
          const row = counts.get(before) ?? new Map<string, number>()
          row.set(step.component, (row.get(step.component) ?? 0) + 1)
          counts.set(before, row)
        }
      }
    }
  }
  return counts
}

/**
 * Components that fit, the likeliest first: what follows in the templates, then the nearest later stage, then the
 * rest in palette order.
 */
export function recommend(catalog: Catalog, candidates: readonly Component[], after: Component | undefined, counts: Map<string, Map<string, number>>): Component[] {
  const row = after ? counts.get(after.name) : undefined
  const here = after ? stageRank(catalog, after.stage) : -1
  const distance = (component: Component): number => {
    const rank = stageRank(catalog, component.stage)
    return rank >= here ? rank - here : 100 + here - rank
  }
  return [...candidates].sort(
    (a, b) => (row?.get(b.name) ?? 0) - (row?.get(a.name) ?? 0) || distance(a) - distance(b) || a.title.localeCompare(b.title),
  )
}
