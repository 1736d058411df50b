/** Undo and redo over immutable values. A drag, or keys pressed one after the other, is one step. */

interface Step<T> {
  readonly value: T
  /** What led away from this value, in words. */
  readonly label: string
}

export interface History<T> {
  readonly past: readonly Step<T>[]
  readonly present: T
  readonly future: readonly Step<T>[]
  readonly together: string
  readonly at: number
}

const TOGETHER_MS = 1200
const LONGEST = 500

export function startHistory<T>(present: T): History<T> {
  return { past: [], present, future: [], together: '', at: 0 }
}

/** Changes with the same `together` that follow each other within 1.2 s are one step. `now` in milliseconds. */
export function push<T>(history: History<T>, next: T, label: string, together = '', now = Date.now()): History<T> {
  if (next === history.present) return history
  const joined = together !== '' && together === history.together && now - history.at <= TOGETHER_MS && history.past.length > 0
  const past = joined ? history.past : [...history.past, { value: history.present, label }].slice(-LONGEST)
  return { past, present: next, future: [], together, at: now }
}

export function undo<T>(history: History<T>): History<T> {
  const last = history.past.at(-1)
  if (!last) return history
  return { past: history.past.slice(0, -1), present: last.value, future: [{ value: history.present, label: last.label }, ...history.future], together: '', at: 0 }
}

export function redo<T>(history: History<T>): History<T> {
  const next = history.future[0]
  if (!next) return history
  return { past: [...history.past, { value: history.present, label: next.label }], present: next.value, future: history.future.slice(1), together: '', at: 0 }
}
