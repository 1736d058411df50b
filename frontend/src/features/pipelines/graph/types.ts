/**
 * The words of a pipeline graph, taken from the API's own types so that the two cannot drift apart.
 *
 * This folder is pure: no React, no React Flow, no network, no Yjs. A graph is a value; every change returns a new
 * one that shares all steps it did not touch, so that `before.steps[key] === after.steps[key]` means "same".
 */
import type { components } from '../../../api/schema'

type Schemas = components['schemas']

export type Component = Schemas['ComponentOut']
export type Port = Schemas['PortOut']
export type Kind = Schemas['KindOut']
export type Problem = Schemas['GraphProblem']
export type ColumnInfo = Schemas['ColumnInfo']
export type Template = Schemas['TemplateOut']
export type Position = Readonly<Schemas['Position']>
export type OutputRef = Readonly<Schemas['InputRef']>

/** A step with nothing left out; `normalise` makes one from what the API sends. */
export interface Step {
  readonly component: string
  readonly name: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly inputs: Readonly<Record<string, readonly OutputRef[]>>
  readonly position: Position | null
  readonly retries: number
  readonly timeout_s: number | null
  readonly note: string
}

export interface Graph {
  readonly steps: Readonly<Record<string, Step>>
}

/** One wire: from an output of a step to an input port of another. */
export interface Edge {
  readonly source: string
  readonly output: string
  readonly target: string
  readonly port: string
}

/** `schemas[step][output]`: the columns known at an output. */
export type Columns = Record<string, Record<string, ColumnInfo[]>>

export interface Stage {
  readonly name: string
  readonly title: string
}

export const EMPTY: Graph = { steps: {} }

export function makeStep(component: string, given: Partial<Step> = {}): Step {
  return { component, name: '', parameters: {}, inputs: {}, position: null, retries: 0, timeout_s: null, note: '', ...given }
}

/** A graph as it came over HTTP, from YAML or from a clipboard, with every default filled in. */
export function normalise(graph: { steps?: Record<string, Partial<Schemas['StepIn']> | undefined> } | null | undefined): Graph {
  const steps: Record<string, Step> = {}
  for (const [key, given] of Object.entries(graph?.steps ?? {})) {
    if (!given || typeof given.component !== 'string') continue
    const inputs: Record<string, OutputRef[]> = {}
    for (const [port, refs] of Object.entries(given.inputs ?? {})) {
      const kept = (refs ?? []).filter((ref) => typeof ref?.step === 'string' && typeof ref.output === 'string')
      if (kept.length > 0) inputs[port] = kept.map((ref) => ({ step: ref.step, output: ref.output }))
    }
    const at = given.position
    steps[key] = makeStep(given.component, {
      name: given.name ?? '',
      parameters: { ...given.parameters },
      inputs,
      position: at && Number.isFinite(at.x) && Number.isFinite(at.y) ? { x: at.x, y: at.y } : null,
      retries: given.retries ?? 0,
      timeout_s: given.timeout_s ?? null,
      note: given.note ?? '',
    })
  }
  return { steps }
}

/** What the API takes back. */
export function toApi(graph: Graph): Schemas['Graph'] {
  const steps: Schemas['Graph']['steps'] = {}
  for (const [key, step] of Object.entries(graph.steps)) {
    const inputs: Record<string, Schemas['InputRef'][]> = {}
    for (const [port, refs] of Object.entries(step.inputs)) inputs[port] = refs.map((ref) => ({ ...ref }))
    steps[key] = { ...step, parameters: { ...step.parameters }, inputs, position: step.position ? { ...step.position } : null }
  }
  return { steps }
}

export function edgeId(edge: Edge): string {
  return `${edge.source}.${edge.output}→${edge.target}.${edge.port}`
}

/** Every wire of the graph whose source still is there. */
export function edgesOf(graph: Graph): Edge[] {
  const edges: Edge[] = []
  for (const [target, step] of Object.entries(graph.steps)) {
    for (const [port, refs] of Object.entries(step.inputs)) {
      for (const ref of refs) if (graph.steps[ref.step]) edges.push({ source: ref.step, output: ref.output, target, port })
    }
  }
  return edges
}

/** Structural equality of JSON values: parameters are small. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const left = Object.keys(a)
  const right = Object.keys(b)
  if (left.length !== right.length) return false
  return left.every((key) => Object.hasOwn(b, key) && same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
}
