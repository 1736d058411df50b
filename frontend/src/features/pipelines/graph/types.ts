/**
 * The words of a pipeline graph, taken from the API's own types so that the two cannot drift apart.
 *
 * This folder is pure: no React, no React Flow, no network, no Yjs. A graph is a value; every change returns a new
 * one that shares all steps it did not touch, so that `before.steps[key] === after.steps[key]` means "same".
 */
import type { Declared } from '@/lib/declared'
import type { components } from '../../../api/schema'

export type { Declared }

type Schemas = components['schemas']

export type Component = Schemas['ComponentOut']
export type Port = Schemas['PortOut']
export type Kind = Schemas['KindOut']
export type Problem = Schemas['GraphProblem']
export type ColumnInfo = Schemas['ColumnInfo']
export type Template = Schemas['TemplateOut']
export type Position = Readonly<Schemas['Position']>
export type OutputRef = Readonly<Schemas['InputRef']>

/** Run once a shard: over what arrives at `port`, or once for each of `values`. */
export interface MapSpec {
  readonly port?: string
  /** Rows a shard, where a table or images arrive. */
  readonly size?: number
  readonly values?: readonly Readonly<Record<string, unknown>>[]
  readonly at_once?: number
  /** How many shards must succeed; all, where nothing is said. */
  readonly policy?: 'all' | 'any' | number
}

export interface RepeatSpec {
  readonly at_most: number
  readonly until?: string
  /** Input → the output of the round before that it takes. */
  readonly carry?: Readonly<Record<string, string>>
}

export interface UndoSpec {
  readonly component: string
  readonly parameters: Readonly<Record<string, unknown>>
}

/** What the host that runs a step must have; a part is absent where any will do. */
export interface NeedsSpec {
  /** Devices for this step alone; 0: none, also where there are some. */
  readonly gpu?: number
  readonly memory_gb?: number
  readonly labels?: Readonly<Record<string, string>>
}

/** Take what that step of that run gave, and do not run this one. */
export interface PinSpec {
  readonly step_run: string
  readonly run: number
}

export type ErrorClass = NonNullable<Schemas['StepIn']['retry_on']>[number]

/** How a step is run. Plain JSON; a part is absent where nothing is said. */
export interface Flow {
  readonly map?: MapSpec
  readonly repeat?: RepeatSpec
  readonly undo?: UndoSpec
  readonly retry_on?: readonly ErrorClass[]
  readonly needs?: NeedsSpec
  readonly pin?: PinSpec
}

export const FLOW = ['map', 'repeat', 'undo', 'retry_on', 'needs', 'pin'] as const

/** A step with nothing left out; `normalise` makes one from what the API sends. */
export interface Step extends Flow {
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
  /** Absent where the pipeline has none. */
  readonly parameters?: Readonly<Record<string, Declared>>
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

/** What stands in place of a parameter's value: a parameter of the pipeline, or a secret of the project. */
export interface Reference {
  readonly kind: '$parameter' | '$secret'
  readonly name: string
}

export function referenceIn(value: unknown): Reference | null {
  if (typeof value !== 'object' || value === null) return null
  const entries = Object.entries(value)
  const [kind, name] = entries[0] ?? []
  return entries.length === 1 && (kind === '$parameter' || kind === '$secret') && typeof name === 'string' ? { kind, name } : null
}

type Loose = Readonly<Record<string, unknown>> | null | undefined

/** Without what says nothing: null, and empty text, lists and objects among `empty`. */
function said(value: Loose, empty: readonly string[] = []): Record<string, unknown> {
  const idle = (name: string, one: unknown) => one === null || one === undefined || (empty.includes(name) && (one === '' || (typeof one === 'object' && Object.keys(one as object).length === 0)))
  return Object.fromEntries(Object.entries(value ?? {}).filter(([name, one]) => !idle(name, one)))
}

/** The parts of `given` that say how a step runs. */
export function flowOf(given: { readonly [field in (typeof FLOW)[number]]?: unknown }): Flow {
  const found: Record<string, unknown> = {}
  if (given.map) found.map = said(given.map as Loose)
  if (given.repeat) found.repeat = said(given.repeat as Loose, ['until', 'carry'])
  if (given.undo) found.undo = { parameters: {}, ...said(given.undo as Loose) }
  if (Array.isArray(given.retry_on) && given.retry_on.length > 0) found.retry_on = given.retry_on
  const needs = said(given.needs as Loose, ['labels'])
  if (Object.keys(needs).length > 0) found.needs = needs
  if (given.pin) found.pin = said(given.pin as Loose)
  const map = found.map as MapSpec | undefined
  if (map?.policy === 'all') found.map = said({ ...map, policy: null })
  return found as Flow
}

export function declaredOf(given: Readonly<Record<string, unknown>> | null | undefined): Record<string, Declared> {
  return Object.fromEntries(Object.entries(given ?? {}).map(([name, one]) => [name, said(one as Loose, ['title', 'description']) as unknown as Declared]))
}

function withDeclared(steps: Graph['steps'], declared: Readonly<Record<string, Declared>>): Graph {
  return Object.keys(declared).length > 0 ? { steps, parameters: declared } : { steps }
}

/** A graph as it came over HTTP, from YAML or from a clipboard, with every default filled in. */
export function normalise(graph: { steps?: Record<string, Partial<Schemas['StepIn']> | undefined>; parameters?: Record<string, Partial<Schemas['ParameterIn']>> } | null | undefined): Graph {
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
      ...flowOf(given),
    })
  }
  return withDeclared(steps, declaredOf(graph?.parameters))
}

/** What the API takes back. */
export function toApi(graph: Graph): Schemas['Graph'] {
  const steps: Schemas['Graph']['steps'] = {}
  for (const [key, step] of Object.entries(graph.steps)) {
    const inputs: Record<string, Schemas['InputRef'][]> = {}
    for (const [port, refs] of Object.entries(step.inputs)) inputs[port] = refs.map((ref) => ({ ...ref }))
    // The API's types are the same shapes, only writable.
    steps[key] = { ...step, parameters: { ...step.parameters }, inputs, position: step.position ? { ...step.position } : null } as Schemas['StepIn']
  }
  return (graph.parameters ? { steps, parameters: graph.parameters } : { steps }) as Schemas['Graph']
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
