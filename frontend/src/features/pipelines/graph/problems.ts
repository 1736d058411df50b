/** Problems by step: each of thousands of steps asks for its own with every change of the editor. */
import type { Problem } from './types'

const NONE: readonly Problem[] = []
const known = new WeakMap<readonly Problem[], ReadonlyMap<string, Problem[]>>()

export function problemsAt(problems: readonly Problem[], step: string): readonly Problem[] {
  let found = known.get(problems)
  if (!found) {
    const sorted = new Map<string, Problem[]>()
    for (const problem of problems) {
      if (!problem.step) continue
      const list = sorted.get(problem.step)
      if (list) list.push(problem)
      else sorted.set(problem.step, [problem])
    }
    known.set(problems, (found = sorted))
  }
  return found.get(step) ?? NONE
}
