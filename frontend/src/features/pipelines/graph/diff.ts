/** What changed between two graphs, as a list people can read. Moving a step is not a change of meaning and comes last. */
import { type Catalog, inputPort, outputPort, stepTitle } from './catalog'
import { edgesOf, edgeId, FLOW, same, type Edge, type Graph } from './types'
import { flowWords } from './flow'

export type ChangeKind = 'added' | 'removed' | 'component' | 'parameter' | 'wired' | 'unwired' | 'details' | 'moved'

export interface Change {
  readonly kind: ChangeKind
  readonly step: string
  readonly title: string
  readonly text: string
  readonly before?: unknown
  readonly after?: unknown
}

function show(value: unknown): string {
  if (value === undefined || value === null || value === '') return 'nothing'
  if (typeof value === "string") return `“${value.length > 60 ? `${value.slice(0, 57)}…` : value}”`
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function parameterTitle(catalog: Catalog, component: string, name: string): string {
  const properties = (catalog.components.get(component)?.parameters as { properties?: Record<string, { title?: string }> } | undefined)?.properties
  return properties?.[name]?.title ?? name
}

export function diff(before: Graph, after: Graph, catalog: Catalog): Change[] {
  const changes: Change[] = []
  const moved: Change[] = []
  for (const key of Object.keys(after.steps)) {
    if (!before.steps[key]) changes.push({ kind: 'added', step: key, title: stepTitle(catalog, after, key), text: 'Step added' })
  }
  for (const key of Object.keys(before.steps)) {
    if (!after.steps[key]) changes.push({ kind: 'removed', step: key, title: stepTitle(catalog, before, key), text: 'Step removed' })
  }
  for (const [key, now] of Object.entries(after.steps)) {
    const old = before.steps[key]
    if (!old || old === now) continue
    const title = stepTitle(catalog, after, key)
    if (old.component !== now.component) {
      changes.push({ kind: "component", step: key, title, text: `Component ${show(old.component)} became ${show(now.component)}`, before: old.component, after: now.component })
    }
    for (const name of new Set([...Object.keys(old.parameters), ...Object.keys(now.parameters)])) {
      const was = old.parameters[name]
      const is = now.parameters[name]
      if (same(was, is)) continue
      changes.push({ kind: "parameter", step: key, title, text: `${parameterTitle(catalog, now.component, name)}: ${show(was)} → ${show(is)}`, before: was, after: is })
    }
    for (const field of ['name', 'note', 'retries', 'timeout_s'] as const) {
      if (old[field] === now[field]) continue
      const label = { name: 'Name', note: 'Note', retries: 'Retries', timeout_s: 'Timeout (seconds)' }[field]
      changes.push({ kind: "details", step: key, title, text: `${label}: ${show(old[field])} → ${show(now[field])}`, before: old[field], after: now[field] })
    }
    for (const field of FLOW) {
      if (same(old[field], now[field])) continue
      const label = { map: 'Mapped', repeat: 'Repeated', undo: 'Compensation', retry_on: 'Tried again after', needs: 'Needs', pin: 'Pinned' }[field]
      changes.push({ kind: 'details', step: key, title, text: `${label}: ${flowWords(old, field) || 'nothing'} → ${flowWords(now, field) || 'nothing'}`, before: old[field], after: now[field] })
    }
    if (!same(old.position, now.position)) moved.push({ kind: 'moved', step: key, title, text: 'Moved' })
  }
  for (const name of new Set([...Object.keys(before.parameters ?? {}), ...Object.keys(after.parameters ?? {})])) {
    const [was, is] = [before.parameters?.[name], after.parameters?.[name]]
    if (same(was, is)) continue
    const text = !was ? 'Parameter of the pipeline added' : !is ? 'Parameter of the pipeline removed' : `Parameter of the pipeline: ${show(was)} → ${show(is)}`
    changes.push({ kind: 'details', step: '', title: is?.title || was?.title || name, text, before: was, after: is })
  }
  const describe = (graph: Graph, edge: Edge): string => {
    const output = outputPort(catalog, graph.steps[edge.source], edge.output)?.title ?? edge.output
    const port = inputPort(catalog, graph.steps[edge.target], edge.port)?.title ?? edge.port
    return `${output} of “${stepTitle(catalog, graph, edge.source)}” → ${port}`
  }
  const old = new Map(edgesOf(before).map((edge) => [edgeId(edge), edge]))
  const now = new Map(edgesOf(after).map((edge) => [edgeId(edge), edge]))
  for (const [id, edge] of now) {
    if (!old.has(id)) changes.push({ kind: "wired", step: edge.target, title: stepTitle(catalog, after, edge.target), text: `Connected: ${describe(after, edge)}` })
  }
  for (const [id, edge] of old) {
    if (!now.has(id)) changes.push({ kind: "unwired", step: edge.target, title: stepTitle(catalog, before, edge.target), text: `Disconnected: ${describe(before, edge)}` })
  }
  return [...changes, ...moved]
}

/** Do the two mean the same run? Positions do not count. */
export function sameMeaning(before: Graph, after: Graph, catalog: Catalog): boolean {
  return diff(before, after, catalog).every((change) => change.kind === 'moved')
}
