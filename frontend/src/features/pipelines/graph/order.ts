/** Order in the graph: what lies before and after a step. */
import { edgesOf, type Graph } from './types'

/** Keys reachable from `from`, against the wires (`up`) or along them (`down`), without `from` itself. */
export function reachable(graph: Graph, from: string, direction: 'up' | 'down'): Set<string> {
  const next = new Map<string, string[]>()
  for (const edge of edgesOf(graph)) {
    const [here, there] = direction === 'down' ? [edge.source, edge.target] : [edge.target, edge.source]
    next.set(here, [...(next.get(here) ?? []), there])
  }
  const seen = new Set<string>()
  const queue = [...(next.get(from) ?? [])]
  while (queue.length > 0) {
    const key = queue.pop() as string
    if (seen.has(key)) continue
    seen.add(key)
    queue.push(...(next.get(key) ?? []))
  }
  return seen
}

/** Steps in an order in which they could run; the steps of a cycle come last, in the graph's own order. */
export function topological(graph: Graph): string[] {
  const waiting = new Map<string, number>(Object.keys(graph.steps).map((key) => [key, 0]))
  const after = new Map<string, string[]>()
  for (const edge of edgesOf(graph)) {
    waiting.set(edge.target, (waiting.get(edge.target) ?? 0) + 1)
    after.set(edge.source, [...(after.get(edge.source) ?? []), edge.target])
  }
  const ready = [...waiting].filter(([, count]) => count === 0).map(([key]) => key)
  const order: string[] = []
  while (ready.length > 0) {
    const key = ready.shift() as string
    order.push(key)
    for (const follower of after.get(key) ?? []) {
      const left = (waiting.get(follower) ?? 0) - 1
      waiting.set(follower, left)
      if (left === 0) ready.push(follower)
    }
  }
  if (order.length < waiting.size) {
    const done = new Set(order)
    for (const key of waiting.keys()) if (!done.has(key)) order.push(key)
  }
  return order
}
