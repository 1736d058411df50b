/**
 * The size of a step on the canvas, worked out from its ports and never measured: layout, wires and the minimap are
 * right before anything is drawn, and 1,000 steps need no first render.
 */
import { type Catalog, componentOf } from './catalog'
import type { Graph, Position, Step } from './types'

export const WIDTH = 224
export const HEAD = 54
export const ROW = 26
export const FOOT = 8
export const GRID = 8
/** The drawn handle; its target area is larger (24 px, WCAG 2.5.8). */
export const HANDLE = 10

export interface Size {
  readonly width: number
  readonly height: number
}

export interface PortSpot {
  readonly name: string
  readonly side: 'input' | 'output'
  /** Centre of the handle, from the step's top left corner. */
  readonly x: number
  readonly y: number
}

function rows(catalog: Catalog, step: Step): { inputs: string[]; outputs: string[] } {
  const component = componentOf(catalog, step)
  if (component) return { inputs: component.inputs.map((port) => port.name), outputs: component.outputs.map((port) => port.name) }
  return { inputs: Object.keys(step.inputs), outputs: ['output'] }
}

export function stepSize(catalog: Catalog, step: Step): Size {
  const { inputs, outputs } = rows(catalog, step)
  return { width: WIDTH, height: HEAD + Math.max(1, inputs.length, outputs.length) * ROW + FOOT }
}

export function portSpots(catalog: Catalog, step: Step): PortSpot[] {
  const { inputs, outputs } = rows(catalog, step)
  const y = (index: number) => HEAD + index * ROW + ROW / 2
  return [
    ...inputs.map((name, index): PortSpot => ({ name, side: 'input', x: 0, y: y(index) })),
    ...outputs.map((name, index): PortSpot => ({ name, side: 'output', x: WIDTH, y: y(index) })),
  ]
}

export function snap(position: Position): Position {
  return { x: Math.round(position.x / GRID) * GRID, y: Math.round(position.y / GRID) * GRID }
}

export function at(step: Step | undefined): Position {
  return step?.position ?? { x: 0, y: 0 }
}

export function bounds(graph: Graph, catalog: Catalog, keys: Iterable<string> = Object.keys(graph.steps)): { x: number; y: number; width: number; height: number } | null {
  let left = Infinity
  let top = Infinity
  let right = -Infinity
  let bottom = -Infinity
  for (const key of keys) {
    const step = graph.steps[key]
    if (!step) continue
    const { x, y } = at(step)
    const size = stepSize(catalog, step)
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x + size.width)
    bottom = Math.max(bottom, y + size.height)
  }
  return left === Infinity ? null : { x: left, y: top, width: right - left, height: bottom - top }
}

/** The nearest place at or below `wanted` where a step of this size covers no other. */
export function freeSpot(graph: Graph, catalog: Catalog, wanted: Position, size: Size = { width: WIDTH, height: HEAD + ROW + FOOT }): Position {
  const gap = 3 * GRID
  const boxes = Object.values(graph.steps).map((step) => ({ ...at(step), ...stepSize(catalog, step) }))
  let spot = snap(wanted)
  for (let tries = 0; tries < 200; tries++) {
    const hit = boxes.find(
      (box) => spot.x < box.x + box.width + gap && spot.x + size.width + gap > box.x && spot.y < box.y + box.height + gap && spot.y + size.height + gap > box.y,
    )
    if (!hit) return spot
    spot = snap({ x: spot.x, y: hit.y + hit.height + gap + GRID })
  }
  return spot
}
