/** How a step is run, in words: for badges, lists of changes and screen readers. */
import { same, type Component, type ErrorClass, type Flow, type MapSpec, type NeedsSpec } from './types'

/** The engine's classes of error, as people know them. */
export const ERROR_WORDS: Record<ErrorClass, string> = {
  crash: 'An error in the component',
  timeout: 'Ran longer than its time limit',
  out_of_memory: 'Ran out of memory',
  exit: 'Its process ended',
  api: 'The studio or another service did not answer',
}

export const MOST_SHARDS = 10_000
export const MOST_ROUNDS = 1_000

/** What must succeed for a mapped step to succeed. */
export function policyWords(policy: MapSpec['policy']): string {
  return policy === undefined || policy === 'all' ? 'all must succeed' : policy === 'any' ? 'one must succeed' : `at least ${policy} must succeed`
}

/** What a host must have, in words. */
export function needsWords({ gpu, memory_gb, labels }: NeedsSpec): string {
  return [gpu === undefined ? '' : gpu === 0 ? 'no GPU' : gpu === 1 ? 'a GPU' : `${gpu} GPUs`, memory_gb === undefined ? '' : `${memory_gb} GB of memory`, ...Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`)].filter(Boolean).join(', ').replace(/, ([^,]*)$/, ' and $1')
}

/** One part in words, empty where nothing is said. */
export function flowWords(flow: Flow, part: keyof Flow): string {
  const { map, repeat, undo, retry_on, needs, pin } = flow
  switch (part) {
    case 'map':
      if (!map) return ''
      return [map.values ? `once for each of ${map.values.length} settings` : `once for each ${map.size ? `${map.size} rows` : 'shard'} of “${map.port}”`, map.at_once ? `${map.at_once} at once` : '', policyWords(map.policy)].filter(Boolean).join(', ')
    case 'repeat':
      if (!repeat) return ''
      return [`at most ${repeat.at_most} rounds`, repeat.until ? `until ${repeat.until}` : '', ...Object.entries(repeat.carry ?? {}).map(([port, output]) => `${output} goes on to ${port}`)].filter(Boolean).join(', ')
    case 'undo':
      return undo ? `by ${undo.component}` : ''
    case 'retry_on':
      return (retry_on ?? []).map((one) => ERROR_WORDS[one].toLowerCase()).join(', ')
    case 'needs':
      return needs ? needsWords(needs) : ''
    case 'pin':
      return pin ? `to the result of run ${pin.run}` : ''
  }
}

export interface FlowBadge {
  readonly part: 'map' | 'repeat' | 'undo' | 'needs' | 'pin'
  /** How often, beside the icon. */
  readonly sign: string
  readonly words: string
}

/** What the canvas shows of how a step is run. */
export function flowBadges(flow: Flow, component: Component | undefined): FlowBadge[] {
  const found: FlowBadge[] = []
  if (flow.pin) found.push({ part: 'pin', sign: `#${flow.pin.run}`, words: `Pinned ${flowWords(flow, 'pin')}: it does not run` })
  if (flow.map) found.push({ part: 'map', sign: flow.map.values ? String(flow.map.values.length) : 'n', words: `Mapped: ${flowWords(flow, 'map')}` })
  if (flow.repeat) found.push({ part: 'repeat', sign: String(flow.repeat.at_most), words: `Repeated: ${flowWords(flow, 'repeat')}` })
  if (flow.undo) found.push({ part: 'undo', sign: '', words: `Undone ${flowWords(flow, 'undo')} when the run fails` })
  else if (component?.undo) found.push({ part: 'undo', sign: '', words: `Undone by ${component.undo} when the run fails, as the component says` })
  if (flow.needs) found.push({ part: 'needs', sign: '', words: `Needs ${needsWords(flow.needs)}` })
  return found
}

/** Components that could undo a step: what they need is among its inputs and outputs, by name and kind. */
export function undoingComponents(component: Component, all: Iterable<Component>): Component[] {
  const at = new Map([...component.inputs, ...component.outputs].map((port) => [port.name, port.kind]))
  const fits = (name: string, kind: string) => at.has(name) && (kind === 'Artifact' || at.get(name) === 'Artifact' || at.get(name) === kind)
  return [...all].filter((one) => one.stage !== 'flow' && one.name !== component.name && one.inputs.every((port) => !port.required || fits(port.name, port.kind)))
}

/** Columns of a table of settings: every parameter that some row sets, in the component's own order. */
export function settingColumns(values: readonly Readonly<Record<string, unknown>>[], known: readonly string[]): string[] {
  const used = new Set(values.flatMap((row) => Object.keys(row)))
  return [...known.filter((name) => used.has(name)), ...[...used].filter((name) => !known.includes(name))]
}

export function sameFlow(a: Flow, b: Flow): boolean {
  return (['map', 'repeat', 'undo', 'retry_on', 'needs'] as const).every((part) => same(a[part], b[part]) || (a[part] === undefined && b[part] === undefined))
}
