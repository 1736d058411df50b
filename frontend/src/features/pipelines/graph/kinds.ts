/** Which kind really leaves at an output: where a component hands on what arrives (`passes`), the kind of that. As `output_kinds` of the server. */
import { componentOf, outputPort, type Catalog } from './catalog'
import type { Graph } from './types'

/** A port of this kind takes, or may give, every kind. */
export const ANY = 'Artifact'

export function outputKind(graph: Graph, catalog: Catalog, key: string, output: string): string {
  const seen = new Set<string>()
  let found = ''
  for (;;) {
    const step = graph.steps[key]
    const component = componentOf(catalog, step)
    found = outputPort(catalog, step, output)?.kind || found
    const source = component?.passes?.[output] ?? ''
    if (!step || !source) return found
    if (source.startsWith('@')) {
      const named = step.parameters[source.slice(1)] ?? defaultOf(component?.parameters, source.slice(1))
      return typeof named === 'string' && named !== '' ? named : found
    }
    const wire = step.inputs[source]?.[0]
    const here = `${key}.${output}`
    // A circle of wires is told elsewhere; here it only must end.
    if (!wire || seen.has(here)) return found
    seen.add(here)
    key = wire.step
    output = wire.output
  }
}

function defaultOf(schema: unknown, name: string): unknown {
  return (schema as { properties?: Record<string, { default?: unknown }> } | undefined)?.properties?.[name]?.default
}

/** Does what leaves this step come as a list: one of each shard? */
export function givesList(graph: Graph, key: string): boolean {
  return graph.steps[key]?.map !== undefined
}

/** Does this input take a list: several wires, or the shards that the step is mapped over? */
export function takesList(graph: Graph, catalog: Catalog, key: string, port: string): boolean {
  const step = graph.steps[key]
  return step?.map?.port === port || (componentOf(catalog, step)?.inputs.find((one) => one.name === port)?.many ?? false)
}

export function kindsFit(gives: string, takes: string): boolean {
  return gives === takes || gives === ANY || takes === ANY
}
