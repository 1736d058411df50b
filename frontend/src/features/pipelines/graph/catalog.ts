/** The catalogue with look-ups: components, kinds and stages by name, and what a step is called on screen. */
import type { components } from '../../../api/schema'
import type { Component, Graph, Kind, Port, Stage, Step } from './types'

export interface Catalog {
  readonly stages: readonly Stage[]
  readonly kinds: ReadonlyMap<string, Kind>
  readonly components: ReadonlyMap<string, Component>
}

const UNKNOWN_KIND = { color: '#868e96', shape: 'circle', help: '' }

export function readCatalog(out: components['schemas']['CatalogOut']): Catalog {
  const stages: Stage[] = out.stages.map((stage) => ({ name: stage.name ?? '', title: stage.title ?? stage.name ?? '' }))
  for (const component of out.components) {
    if (!stages.some((stage) => stage.name === component.stage)) stages.push({ name: component.stage, title: component.stage })
  }
  return {
    stages,
    kinds: new Map(out.kinds.map((kind) => [kind.name, kind])),
    components: new Map(out.components.map((component) => [component.name, component])),
  }
}

export const EMPTY_CATALOG: Catalog = { stages: [], kinds: new Map(), components: new Map() }

/** Kinds that the catalogue does not name, one object each: what reads them compares by identity. */
const others = new Map<string, Kind>([['Artifact', { name: 'Artifact', title: 'anything', ...UNKNOWN_KIND, help: 'Whatever arrives.' }]])

export function kindOf(catalog: Catalog, name: string): Kind {
  const known = catalog.kinds.get(name) ?? others.get(name)
  if (known) return known
  const made: Kind = { name, title: name, ...UNKNOWN_KIND }
  others.set(name, made)
  return made
}

export function stageRank(catalog: Catalog, name: string): number {
  const at = catalog.stages.findIndex((stage) => stage.name === name)
  return at < 0 ? catalog.stages.length : at
}

export function componentOf(catalog: Catalog, step: Step | undefined): Component | undefined {
  return step ? catalog.components.get(step.component) : undefined
}

export function inputPort(catalog: Catalog, step: Step | undefined, port: string): Port | undefined {
  return componentOf(catalog, step)?.inputs.find((candidate) => candidate.name === port)
}

export function outputPort(catalog: Catalog, step: Step | undefined, output: string): Port | undefined {
  return componentOf(catalog, step)?.outputs.find((candidate) => candidate.name === output)
}

/** What people see: the name they gave, else the component's title, else the component's name. */
export function stepTitle(catalog: Catalog, graph: Graph, key: string): string {
  const step = graph.steps[key]
  if (!step) return key
  return step.name || componentOf(catalog, step)?.title || step.component
}

/** Required ports with nothing wired to them. */
export function missingPorts(catalog: Catalog, step: Step): Port[] {
  return (componentOf(catalog, step)?.inputs ?? []).filter((port) => port.required && !step.inputs[port.name]?.length)
}

/** Search of the palette: every word must occur; a hit in the title counts before one in the help. */
export function searchComponents(catalog: Catalog, text: string): Component[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const scored: { component: Component; score: number }[] = []
  for (const component of catalog.components.values()) {
    const title = component.title.toLowerCase()
    const rest = `${component.name} ${component.summary} ${component.stage} ${component.inputs.map((port) => port.kind).join(" ")} ${component.outputs.map((port) => port.kind).join(" ")}`.toLowerCase()
    const help = component.help.toLowerCase()
    let score = 0
    for (const word of words) {
      if (title.startsWith(word)) score += 4
      else if (title.includes(word)) score += 3
      else if (rest.includes(word)) score += 2
      else if (help.includes(word)) score += 1
      else {
        score = -1
        break
      }
    }
    if (score >= 0) scored.push({ component, score })
  }
  return scored
    .sort(
      (a, b) =>
        b.score - a.score ||
        stageRank(catalog, a.component.stage) - stageRank(catalog, b.component.stage) ||
        a.component.title.localeCompare(b.component.title),
    )
    .map((entry) => entry.component)
}
