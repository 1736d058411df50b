/** Masks put together, run by run. */
import { maskOf, type Mask } from './mask'

/** Pixels of either. */
export function united(a: Mask, b: Mask): Mask {
  return combined(a, b, (inA, inB) => inA || inB)
}

/** Pixels of the first that are not of the second. */
export function without(a: Mask, b: Mask): Mask {
  return combined(a, b, (inA, inB) => inA && !inB)
}

/** What was made of `before` (it became `after`), made of `now`, which somebody else changed meanwhile. */
export function rebased(before: Mask, after: Mask, now: Mask): Mask {
  return before === now ? after : without(united(now, without(after, before)), without(before, after))
}

function combined(a: Mask, b: Mask, wanted: (inA: boolean, inB: boolean) => boolean): Mask {
  const edges: number[] = []
  let [i, j, inA, inB, on] = [0, 0, false, false, false]
  while (i < a.edges.length || j < b.edges.length) {
    const at = Math.min(a.edges[i] ?? Infinity, b.edges[j] ?? Infinity)
    if (a.edges[i] === at) [inA, i] = [!inA, i + 1]
    if (b.edges[j] === at) [inB, j] = [!inB, j + 1]
    if (wanted(inA, inB) === on) continue
    on = !on
    edges.push(at)
  }
  return maskOf(a, edges)
}
