/** Every change of a graph, as a function from graph to graph. Nothing here asks, tells or saves. */
import type { Catalog } from './catalog'
import { canConnect, fittingPort, type OpenEnd, type Verdict } from './connect'
import { at, freeSpot, GRID, snap, stepSize, WIDTH } from './geometry'
import { keysOf, uniqueKey } from './keys'
import { makeStep, referenceIn, type Component, type Edge, type Flow, type Graph, type OutputRef, type Position, type Step } from './types'

function withStep(graph: Graph, key: string, change: (step: Step) => Step): Graph {
  const step = graph.steps[key]
  if (!step) return graph
  const changed = change(step)
  return changed === step ? graph : { ...graph, steps: { ...graph.steps, [key]: changed } }
}

function withInput(step: Step, port: string, refs: readonly OutputRef[]): Step {
  const inputs = { ...step.inputs }
  if (refs.length > 0) inputs[port] = refs
  else delete inputs[port]
  return { ...step, inputs }
}

export function addStep(graph: Graph, catalog: Catalog, component: Component, position: Position): { graph: Graph; key: string } {
  // `code:heavy-rows@2` is `heavy_rows` in YAML and logs.
  const key = uniqueKey(keysOf(graph), component.name.replace(/^\w+:|@\d+$/g, ''))
  // No parameters: what is not set follows the component's defaults, and the form shows those.
  const blank = makeStep(component.name)
  const step = { ...blank, position: freeSpot(graph, catalog, position, stepSize(catalog, blank)) }
  return { graph: { ...graph, steps: { ...graph.steps, [key]: step } }, key }
}

/** Where a step that continues `end` is put: one column further, level with the step it comes from. */
export function spotBeside(graph: Graph, end: OpenEnd): Position {
  const origin = at(graph.steps[end.step])
  return end.side === 'output' ? { x: origin.x + WIDTH + 10 * GRID, y: origin.y } : { x: origin.x - WIDTH - 10 * GRID, y: origin.y }
}

/** A new step, wired to an open end. */
export function addConnected(graph: Graph, catalog: Catalog, component: Component, end: OpenEnd, kind: string, position?: Position): { graph: Graph; key: string } {
  const added = addStep(graph, catalog, component, position ?? spotBeside(graph, end))
  const port = fittingPort(component, kind, end.side)
  if (!port) return added
  const edge: Edge =
    end.side === 'output'
      ? { source: end.step, output: end.port, target: added.key, port: port.name }
      : { source: added.key, output: port.name, target: end.step, port: end.port }
  return { graph: connect(added.graph, catalog, edge).graph, key: added.key }
}

/** Draws the wire when it fits. A port that takes one wire lets go of the one it had. */
export function connect(graph: Graph, catalog: Catalog, edge: Edge): { graph: Graph; verdict: Verdict } {
  const verdict = canConnect(graph, catalog, edge)
  if (!verdict.ok) return { graph, verdict }
  const ref: OutputRef = { step: edge.source, output: edge.output }
  const next = withStep(graph, edge.target, (step) => withInput(step, edge.port, verdict.replaces ? [ref] : [...(step.inputs[edge.port] ?? []), ref]))
  return { graph: next, verdict }
}

export function disconnect(graph: Graph, edges: readonly Edge[]): Graph {
  return edges.reduce(
    (now, edge) =>
      withStep(now, edge.target, (step) => {
        const refs = step.inputs[edge.port] ?? []
        const left = refs.filter((ref) => ref.step !== edge.source || ref.output !== edge.output)
        return left.length === refs.length ? step : withInput(step, edge.port, left)
      }),
    graph,
  )
}

/** Moves one end of a wire; the old wire stays when the new one does not fit. */
export function reconnect(graph: Graph, catalog: Catalog, old: Edge, edge: Edge): { graph: Graph; verdict: Verdict } {
  const moved = connect(disconnect(graph, [old]), catalog, edge)
  return moved.verdict.ok ? moved : { graph, verdict: moved.verdict }
}

/** Steps and their wires, gone. */
export function remove(graph: Graph, keys: ReadonlySet<string>): Graph {
  const steps: Record<string, Step> = {}
  for (const [key, step] of Object.entries(graph.steps)) {
    if (keys.has(key)) continue
    let kept = step
    for (const [port, refs] of Object.entries(step.inputs)) {
      const left = refs.filter((ref) => !keys.has(ref.step))
      if (left.length !== refs.length) kept = withInput(kept, port, left)
    }
    steps[key] = kept
  }
  return { ...graph, steps }
}

/** Puts a new step into a wire: source → new → target. */
export function insertOnEdge(graph: Graph, catalog: Catalog, edge: Edge, component: Component, kind: string): { graph: Graph; key: string } | null {
  const into = fittingPort(component, kind, 'output')
  const out = fittingPort(component, kind, 'input')
  if (!into || !out) return null
  const source = at(graph.steps[edge.source])
  const target = at(graph.steps[edge.target])
  const added = addStep(disconnect(graph, [edge]), catalog, component, { x: (source.x + target.x) / 2, y: (source.y + target.y) / 2 })
  const first = connect(added.graph, catalog, { source: edge.source, output: edge.output, target: added.key, port: into.name })
  const second = connect(first.graph, catalog, { source: added.key, output: out.name, target: edge.target, port: edge.port })
  return { graph: second.graph, key: added.key }
}

/** Takes a step out of the chain and joins what it stood between, where the ends fit. */
export function bypass(graph: Graph, catalog: Catalog, key: string): Graph {
  const step = graph.steps[key]
  if (!step) return graph
  const feeds = Object.values(step.inputs).flat()
  let next = remove(graph, new Set([key]))
  for (const [target, follower] of Object.entries(graph.steps)) {
    for (const [port, refs] of Object.entries(follower.inputs)) {
      if (!refs.some((ref) => ref.step === key)) continue
      for (const feed of feeds) {
        const joined = connect(next, catalog, { source: feed.step, output: feed.output, target, port })
        if (joined.verdict.ok) {
          next = joined.graph
          break
        }
      }
    }
  }
  return next
}

export function move(graph: Graph, positions: Readonly<Record<string, Position>>): Graph {
  return Object.entries(positions).reduce((now, [key, wanted]) => {
    const position = { x: Math.round(wanted.x), y: Math.round(wanted.y) }
    return withStep(now, key, (step) => (step.position?.x === position.x && step.position.y === position.y ? step : { ...step, position }))
  }, graph)
}

export function nudge(graph: Graph, keys: ReadonlySet<string>, dx: number, dy: number): Graph {
  const positions: Record<string, Position> = {}
  for (const key of keys) {
    const from = at(graph.steps[key])
    positions[key] = snap({ x: from.x + dx, y: from.y + dy })
  }
  return move(graph, positions)
}

export function setParameters(graph: Graph, key: string, parameters: Readonly<Record<string, unknown>>): Graph {
  return withStep(graph, key, (step) => ({ ...step, parameters }))
}

/** Another component in the step's place, such as a newer version: wires and values that it has no place for go. */
export function setComponent(graph: Graph, key: string, component: Component): Graph {
  return withStep(graph, key, (step) => {
    if (step.component === component.name) return step
    const ports = new Set(component.inputs.map((port) => port.name))
    const fields = new Set(Object.keys((component.parameters.properties as object | undefined) ?? {}))
    return {
      ...step,
      component: component.name,
      inputs: Object.fromEntries(Object.entries(step.inputs).filter(([port]) => ports.has(port))),
      parameters: Object.fromEntries(Object.entries(step.parameters).filter(([name]) => fields.has(name))),
    }
  })
}

export function setDetails(graph: Graph, key: string, details: Partial<Pick<Step, 'name' | 'note' | 'retries' | 'timeout_s'>>): Graph {
  return withStep(graph, key, (step) => ({ ...step, ...details }))
}

/** How a step is run; what is undefined is no longer said. */
export function setFlow(graph: Graph, key: string, flow: { readonly [field in keyof Flow]?: Flow[field] | undefined }): Graph {
  return withStep(graph, key, (step) => {
    const next: Record<string, unknown> = { ...step }
    for (const [field, value] of Object.entries(flow)) {
      if (value === undefined || (Array.isArray(value) && value.length === 0)) delete next[field]
      else next[field] = value
    }
    return next as unknown as Step
  })
}

/** The pipeline's own parameters; references of steps to a renamed one follow it. */
export function setDeclared(graph: Graph, parameters: Graph['parameters'], renamed?: { from: string; to: string }): Graph {
  const { parameters: _old, ...rest } = graph
  let next: Graph = parameters && Object.keys(parameters).length > 0 ? { ...rest, parameters } : rest
  if (!renamed) return next
  for (const [key, step] of Object.entries(graph.steps)) {
    const bound = Object.entries(step.parameters).filter(([, value]) => referenceIn(value)?.kind === '$parameter' && referenceIn(value)?.name === renamed.from)
    if (bound.length > 0) next = setParameters(next, key, { ...step.parameters, ...Object.fromEntries(bound.map(([name]) => [name, { $parameter: renamed.to }])) })
  }
  return next
}

/** Gives a step another key and follows every wire that named the old one. */
export function renameKey(graph: Graph, from: string, to: string): Graph {
  if (from === to || graph.steps[to] || !graph.steps[from]) return graph
  const steps: Record<string, Step> = {}
  for (const [key, step] of Object.entries(graph.steps)) {
    let kept = step
    for (const [port, refs] of Object.entries(step.inputs)) {
      if (refs.some((ref) => ref.step === from)) kept = withInput(kept, port, refs.map((ref) => (ref.step === from ? { ...ref, step: to } : ref)))
    }
    steps[key === from ? to : key] = kept
  }
  return { ...graph, steps }
}

/** What merges of two people's edits may leave behind: wires to steps that are gone. */
export function repair(graph: Graph): Graph {
  let changed = false
  const steps: Record<string, Step> = {}
  for (const [key, step] of Object.entries(graph.steps)) {
    let kept = step
    for (const [port, refs] of Object.entries(step.inputs)) {
      const left = refs.filter((ref) => graph.steps[ref.step])
      if (left.length !== refs.length) {
        kept = withInput(kept, port, left)
        changed = true
      }
    }
    steps[key] = kept
  }
  return changed ? { ...graph, steps } : graph
}
