/** Three-way merge of drafts for when a save meets a newer draft and there is no live document to merge for us. */
import { FLOW, flowOf, same, type Graph, type Step } from './types'

function pick<T>(base: T, mine: T, theirs: T): T {
  return same(base, mine) ? theirs : mine
}

function mergeRecord<T>(base: Readonly<Record<string, T>>, mine: Readonly<Record<string, T>>, theirs: Readonly<Record<string, T>>): Record<string, T> {
  const out: Record<string, T> = {}
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const value = pick<T | undefined>(base[key], mine[key], theirs[key])
    if (value !== undefined) out[key] = value
  }
  return out
}

/** Both sides' changes since `base`; where both changed the same thing, mine stands. A step that one side deleted and the other edited stays. */
export function merge(base: Graph, mine: Graph, theirs: Graph): Graph {
  const steps: Record<string, Step> = {}
  for (const key of new Set([...Object.keys(theirs.steps), ...Object.keys(mine.steps)])) {
    const [b, m, t] = [base.steps[key], mine.steps[key], theirs.steps[key]]
    if (!m || !t) {
      const kept = m ?? t
      if (kept && (!b || !same(kept, b))) steps[key] = kept
      continue
    }
    const from = b ?? t
    steps[key] = {
      component: pick(from.component, m.component, t.component),
      name: pick(from.name, m.name, t.name),
      parameters: mergeRecord(from.parameters, m.parameters, t.parameters),
      inputs: mergeRecord(from.inputs, m.inputs, t.inputs),
      position: pick(from.position, m.position, t.position),
      retries: pick(from.retries, m.retries, t.retries),
      timeout_s: pick(from.timeout_s, m.timeout_s, t.timeout_s),
      note: pick(from.note, m.note, t.note),
      ...flowOf(Object.fromEntries(FLOW.map((field) => [field, pick<unknown>(from[field], m[field], t[field])]))),
    }
  }
  const parameters = mergeRecord(base.parameters ?? {}, mine.parameters ?? {}, theirs.parameters ?? {})
  return Object.keys(parameters).length > 0 ? { steps, parameters } : { steps }
}
