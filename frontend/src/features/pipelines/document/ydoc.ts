/**
 * A graph inside a Yjs document, and back. The shape is the one `backend/pipelines` keeps:
 * `steps`: key → Map { component, name, parameters: Map, inputs: Map port → Array of "step.output", position, retries, timeout_s, note,
 * and, only where they are said, map, repeat, undo, retry_on, needs, pin: plain JSON }; `parameters`: name → plain JSON.
 */
import * as Y from 'yjs'

import { declaredOf, FLOW, flowOf, makeStep, same, type Declared, type Graph, type OutputRef, type Position, type Step } from '../graph/types'

export type Steps = Y.Map<Y.Map<unknown>>

export function stepsOf(doc: Y.Doc): Steps {
  return doc.getMap('steps') as Steps
}

export function declaredIn(doc: Y.Doc): Y.Map<unknown> {
  return doc.getMap('parameters')
}

export function readDeclared(map: Y.Map<unknown>): Record<string, Declared> {
  const found = plain(map.toJSON()) as Record<string, unknown>
  const whole = (one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one)
  return declaredOf(Object.fromEntries(Object.entries(found).filter(([, one]) => whole(one)).sort(([a], [b]) => (a < b ? -1 : 1))))
}

const wire = (ref: OutputRef) => `${ref.step}.${ref.output}`

function unwire(text: unknown): OutputRef | null {
  if (typeof text !== 'string') return null
  const dot = text.indexOf('.')
  return dot > 0 ? { step: text.slice(0, dot), output: text.slice(dot + 1) } : null
}

/** Whole numbers written by the studio (not by a browser) arrive as bigint; here they are numbers like any other. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Y.AbstractType) return plain(value.toJSON())
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
  return value
}

export function readStep(map: Y.Map<unknown>): Step {
  const inputs: Record<string, OutputRef[]> = {}
  const wires = plain(map.get('inputs'))
  for (const [port, list] of Object.entries((wires ?? {}) as Record<string, unknown>)) {
    const refs = Array.isArray(list) ? list.map(unwire).filter((ref) => ref !== null) : []
    // Two people may have drawn the same wire at once.
    const once = refs.filter((ref, index) => refs.findIndex((other) => wire(other) === wire(ref)) === index)
    if (once.length > 0) inputs[port] = once
  }
  const position = plain(map.get('position')) as Position | null | undefined
  const timeout = plain(map.get('timeout_s'))
  return makeStep(String(map.get('component') ?? ''), {
    name: String(map.get('name') ?? ''),
    parameters: (plain(map.get('parameters')) ?? {}) as Record<string, unknown>,
    inputs,
    position: position && Number.isFinite(position.x) && Number.isFinite(position.y) ? { x: position.x, y: position.y } : null,
    retries: Number(map.get('retries') ?? 0),
    timeout_s: typeof timeout === 'number' ? timeout : null,
    note: String(map.get('note') ?? ''),
    ...flowOf(Object.fromEntries(FLOW.map((field) => [field, plain(map.get(field))]))),
  })
}

function newStep(step: Step): Y.Map<unknown> {
  const map = new Y.Map<unknown>()
  map.set('component', step.component)
  map.set('name', step.name)
  map.set('parameters', new Y.Map(Object.entries(step.parameters)))
  map.set('inputs', new Y.Map(Object.entries(step.inputs).map(([port, refs]) => [port, Y.Array.from(refs.map(wire))])))
  map.set('position', step.position ? { ...step.position } : null)
  map.set('retries', step.retries)
  map.set('timeout_s', step.timeout_s)
  map.set('note', step.note)
  for (const field of FLOW) if (step[field] !== undefined) map.set(field, step[field])
  return map
}

function child(map: Y.Map<unknown>, name: string): Y.Map<unknown> {
  const found = map.get(name)
  if (found instanceof Y.Map) return found as Y.Map<unknown>
  const made = new Y.Map<unknown>()
  map.set(name, made)
  return made
}

function writeRefs(inputs: Y.Map<unknown>, port: string, refs: readonly OutputRef[] | undefined): void {
  if (!refs?.length) {
    inputs.delete(port)
    return
  }
  const wanted = refs.map(wire)
  const found = inputs.get(port)
  if (!(found instanceof Y.Array)) {
    inputs.set(port, Y.Array.from(wanted))
    return
  }
  // Only what changed is touched, so that two people may add wires to one port at the same time.
  for (let index = found.length - 1; index >= 0; index--) if (!wanted.includes(found.get(index) as string)) found.delete(index, 1)
  const kept = new Set(found.toArray() as string[])
  const missing = wanted.filter((text) => !kept.has(text))
  if (missing.length > 0) found.push(missing)
}

/** Writes the difference between two graphs, as small as possible: what other people do elsewhere stays. */
export function writeGraph(doc: Y.Doc, before: Graph, after: Graph): void {
  const steps = stepsOf(doc)
  const declared = declaredIn(doc)
  for (const name of Object.keys(before.parameters ?? {})) if (!after.parameters?.[name]) declared.delete(name)
  for (const [name, one] of Object.entries(after.parameters ?? {})) if (!same(before.parameters?.[name], one)) declared.set(name, one)
  for (const key of Object.keys(before.steps)) if (!after.steps[key]) steps.delete(key)
  for (const [key, now] of Object.entries(after.steps)) {
    const old = before.steps[key]
    if (old === now) continue
    const map = steps.get(key)
    if (!old || !(map instanceof Y.Map)) {
      steps.set(key, newStep(now))
      continue
    }
    for (const field of ['component', 'name', 'retries', 'timeout_s', 'note'] as const) if (old[field] !== now[field]) map.set(field, now[field])
    for (const field of FLOW) {
      if (same(old[field], now[field])) continue
      if (now[field] === undefined) map.delete(field)
      else map.set(field, now[field])
    }
    if (!same(old.position, now.position)) map.set('position', now.position ? { ...now.position } : null)
    if (old.parameters !== now.parameters) {
      const parameters = child(map, 'parameters')
      for (const name of Object.keys(old.parameters)) if (!Object.hasOwn(now.parameters, name) || now.parameters[name] === undefined) parameters.delete(name)
      for (const [name, value] of Object.entries(now.parameters)) if (value !== undefined && !same(old.parameters[name], value)) parameters.set(name, value)
    }
    if (old.inputs !== now.inputs) {
      const inputs = child(map, 'inputs')
      for (const port of new Set([...Object.keys(old.inputs), ...Object.keys(now.inputs)])) {
        if (!same(old.inputs[port], now.inputs[port])) writeRefs(inputs, port, now.inputs[port])
      }
    }
  }
}
