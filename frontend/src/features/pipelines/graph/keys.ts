/** Step keys: stable, readable names by which wires, parameters and the command line call a step. */
import type { Graph } from './types'

const LONGEST = 60

/** A key that is not taken: `split`, then `split_2`, `split_3`. */
export function uniqueKey(taken: Iterable<string>, wanted: string): string {
  const used = taken instanceof Set ? (taken as Set<string>) : new Set(taken)
  let base = wanted
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^[^a-z]+/, '')
    .replace(/_+$/, '')
    .slice(0, LONGEST)
  if (!base) base = 'step'
  if (!used.has(base)) return base
  const stem = base.replace(/_\d+$/, '') || 'step'
  for (let number = 2; ; number++) {
    const suffix = `_${number}`
    const key = stem.slice(0, LONGEST - suffix.length) + suffix
    if (!used.has(key)) return key
  }
}

export function keysOf(graph: Graph): Set<string> {
  return new Set(Object.keys(graph.steps))
}
