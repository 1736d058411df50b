/** The pipeline's own parameters: whether a declaration is right, and the form that they make. As `parameters.py` of the graph. */

/** A parameter of a pipeline; a part is absent where nothing is said. */
export interface Declared {
  readonly type: 'string' | 'number' | 'integer' | 'boolean'
  readonly title?: string
  readonly description?: string
  readonly default?: string | number | boolean
  readonly enum?: readonly (string | number | boolean)[]
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: 'dataset-version' | 'model-name' | 'endpoint-name' | 'date' | 'multiline'
}


export const DECLARED_NAME = /^[a-z][a-z0-9_]{0,59}$/
export const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,59}$/
export const MOST_DECLARED = 100

export interface Draft {
  readonly name: string
  readonly declared: Declared
}

/** What is wrong with a declaration, by the field it is told at; empty when nothing is. `taken`: the other names. */
export function declaredProblems({ name, declared }: Draft, taken: ReadonlySet<string>): Record<string, string> {
  const found: Record<string, string> = {}
  if (!DECLARED_NAME.test(name)) found.name = 'A small letter, then small letters, digits and _; at most 60.'
  else if (taken.has(name)) found.name = `There is a parameter “${name}” already.`
  const fits = (value: unknown) =>
    declared.type === 'boolean' ? typeof value === 'boolean' : declared.type === 'string' ? typeof value === 'string' : typeof value === 'number' && (declared.type === 'number' || Number.isInteger(value))
  const { minimum, maximum, enum: choices, default: first } = declared
  if (minimum !== undefined && maximum !== undefined && minimum > maximum) found.maximum = `Must be at least ${minimum}.`
  if (choices?.some((one) => !fits(one))) found.enum = `Each must be ${WHAT[declared.type]}.`
  if (first !== undefined) {
    if (!fits(first)) found.default = `Must be ${WHAT[declared.type]}.`
    else if (choices && !choices.includes(first)) found.default = 'Must be one of the choices.'
    else if (typeof first === 'number' && minimum !== undefined && first < minimum) found.default = `Must be at least ${minimum}.`
    else if (typeof first === 'number' && maximum !== undefined && first > maximum) found.default = `Must be at most ${maximum}.`
  }
  return found
}

const WHAT: Record<Declared['type'], string> = { string: 'text', number: 'a number', integer: 'a whole number', boolean: 'yes or no' }

/** JSON Schema of what a person fills in to start this pipeline. */
export function declaredForm(parameters: Readonly<Record<string, object>> | null | undefined): { type: 'object'; properties: Record<string, Record<string, unknown>>; required: string[] } {
  const entries = Object.entries(parameters ?? {}).map(([name, one]) => [name, Object.fromEntries(Object.entries(one).filter(([, part]) => part !== null && part !== '')) as unknown as Declared] as const)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, one]) => [name, { title: sentence(name), ...one, ...(one.format === 'multiline' ? { format: 'textarea' } : {}) }])),
    required: entries.filter(([, one]) => one.default === undefined).map(([name]) => name),
  }
}

function sentence(name: string): string {
  const words = name.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
