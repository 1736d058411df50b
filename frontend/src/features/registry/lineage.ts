/** What of a lineage is worth drawing. Pure. */
import type { Schemas } from '@/api/client'

export type Lineage = { nodes: Schemas['LineageNode'][]; edges: string[][] }

/** `train · run #12` → 12 */
function runOf(label: string): number {
  return Number(/run #(\d+)/.exec(label)?.[1] ?? Infinity)
}

/** Later runs that reused or repeated what an earlier step run had made explain nothing about where it came from. */
export function origins(lineage: Lineage): Lineage {
  const nodes = new Map(lineage.nodes.map((node) => [node.id, node]))
  // A step that hands on what it was given (the best of several models) did not make it.
  const used = new Set(lineage.edges.map(([from, to]) => `${from}>${to}`))
  const edges = lineage.edges.filter(([from = '', to = '']) => !(nodes.get(from)?.type === 'step_run' && used.has(`${to}>${from}`)))
  const makers = new Map<string, string[]>()
  const made = new Map<string, string[]>()
  for (const [from = '', to = ''] of edges) {
    if (nodes.get(from)?.type !== 'step_run' || nodes.get(to)?.type !== 'artifact') continue
    makers.set(to, [...(makers.get(to) ?? []), from])
    made.set(from, [...(made.get(from) ?? []), to])
  }
  const later = new Set<string>()
  for (const [step, artifacts] of made) {
    const own = runOf(nodes.get(step)?.label ?? '')
    if (artifacts.every((artifact) => makers.get(artifact)?.some((other) => runOf(nodes.get(other)?.label ?? '') < own))) later.add(step)
  }
  return {
    nodes: lineage.nodes.filter((node) => !later.has(node.id)),
    edges: edges.filter(
      ([from = '', to = '']) =>
        !later.has(from) && !later.has(to) && !(nodes.get(from)?.type === 'dataset_version' && nodes.get(to)?.type === 'artifact' && makers.has(to)),
    ),
  }
}

/** Without the artifacts that only pass from one step to the next: what made them leads straight to what used them. */
export function withoutArtifacts(lineage: Lineage, keep: string): Lineage {
  let { nodes, edges } = lineage
  for (const node of lineage.nodes) {
    if (node.type !== 'artifact' || node.id === keep) continue
    const before = edges.filter((edge) => edge[1] === node.id).map((edge) => edge[0] ?? '')
    const after = edges.filter((edge) => edge[0] === node.id).map((edge) => edge[1] ?? '')
    if (before.length === 0 || after.length === 0) continue
    nodes = nodes.filter((other) => other.id !== node.id)
    edges = [...edges.filter((edge) => edge[0] !== node.id && edge[1] !== node.id), ...before.flatMap((from) => after.map((to) => [from, to]))]
  }
  const seen = new Set<string>()
  return { nodes, edges: edges.filter(([from, to]) => !seen.has(`${from}>${to}`) && seen.add(`${from}>${to}`)) }
}
