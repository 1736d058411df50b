/** Walking the graph with the arrow keys: along the wires first, to the nearest step on that side otherwise. */
import type { Catalog } from './catalog'
import { at, stepSize } from './geometry'
import { edgesOf, type Graph } from './types'

export type Direction = 'left' | 'right' | 'up' | 'down'

interface Spot {
  key: string
  x: number
  y: number
}

function centres(graph: Graph, catalog: Catalog): Spot[] {
  return Object.entries(graph.steps).map(([key, step]) => {
    const size = stepSize(catalog, step)
    const { x, y } = at(step)
    return { key, x: x + size.width / 2, y: y + size.height / 2 }
  })
}

/** The step to go to from `from` (or the first one, top left, when nothing is selected); null where there is none. */
export function walk(graph: Graph, catalog: Catalog, from: string | null, direction: Direction): string | null {
  const spots = centres(graph, catalog)
  const here = spots.find((spot) => spot.key === from)
  if (!here) return [...spots].sort((a, b) => a.x - b.x || a.y - b.y)[0]?.key ?? null
  if (direction === 'left' || direction === 'right') {
    const linked = edgesOf(graph)
      .filter((edge) => (direction === 'right' ? edge.source : edge.target) === here.key)
      .map((edge) => (direction === 'right' ? edge.target : edge.source))
    const nearest = spots.filter((spot) => linked.includes(spot.key)).sort((a, b) => Math.abs(a.y - here.y) - Math.abs(b.y - here.y))[0]
    if (nearest) return nearest.key
  }
  const sign = direction === 'right' || direction === 'down' ? 1 : -1
  const along = (spot: Spot) => sign * (direction === 'left' || direction === 'right' ? spot.x - here.x : spot.y - here.y)
  const across = (spot: Spot) => Math.abs(direction === 'left' || direction === 'right' ? spot.y - here.y : spot.x - here.x)
  // Sideways distance counts double, so that "down" stays in its column as long as there is something in it.
  const ahead = spots.filter((spot) => spot.key !== here.key && along(spot) > 1).sort((a, b) => along(a) + 2 * across(a) - along(b) - 2 * across(b))
  return ahead[0]?.key ?? null
}

/** The next or previous step in reading order: by column, then from top to bottom. */
export function next(graph: Graph, catalog: Catalog, from: string | null, by: 1 | -1): string | null {
  const order = centres(graph, catalog).sort((a, b) => a.x - b.x || a.y - b.y)
  if (order.length === 0) return null
  const index = order.findIndex((spot) => spot.key === from)
  if (index < 0) return order[by === 1 ? 0 : order.length - 1]?.key ?? null
  return order[(index + by + order.length) % order.length]?.key ?? null
}
