/**
 * What a component's JSON Schema becomes before it is drawn or checked. Pure.
 *
 * Pydantic writes “an integer or nothing” as anyOf [integer, null]; a form wants one field that may be empty, and an
 * error that speaks about the integer. Checking interprets the schema (no generated code), because the studio's
 * content security policy forbids `eval`.
 */
import { Validator, type Schema as CfSchema } from '@cfworker/json-schema'
import { humanise } from '@/lib/format'

export type JsonSchema = {
  type?: string | string[]
  title?: string
  description?: string
  format?: string
  default?: unknown
  const?: unknown
  enum?: unknown[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  $ref?: string
  $defs?: Record<string, JsonSchema>
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  [key: string]: unknown
}

const isNull = (s: JsonSchema) => s.type === 'null'

/** Follows `$ref` and folds “X or null” into X with null among its types, all the way down. */
export function simplify(schema: JsonSchema, root: JsonSchema = schema): JsonSchema {
  let s = schema
  for (let depth = 0; s.$ref && depth < 8; depth += 1) {
    const name = s.$ref.replace(/^#\/\$defs\//, '')
    const { $ref: _ref, ...rest } = s
    s = { ...(root.$defs?.[name] ?? {}), ...rest }
  }
  if (s.allOf?.length === 1 && s.allOf[0]) {
    const { allOf, ...rest } = s
    s = { ...simplify(allOf[0]!, root), ...rest }
  }
  const key = s.anyOf ? 'anyOf' : s.oneOf ? 'oneOf' : null
  if (key) {
    const options = s[key]!
    const others = options.filter((o) => !isNull(o))
    if (others.length === 1 && others.length < options.length) {
      const { [key]: _gone, ...rest } = s
      const only = simplify(others[0]!, root)
      return { ...only, ...rest, type: [String(only.type ?? 'string'), 'null'] }
    }
    s = { ...s, [key]: options.map((o) => simplify(o, root)) }
  }
  if (s.properties) s = { ...s, properties: Object.fromEntries(Object.entries(s.properties).map(([name, p]) => [name, simplify(p, root)])) }
  if (s.items) s = { ...s, items: simplify(s.items, root) }
  return s
}

export function isNullable(schema: JsonSchema): boolean {
  return Array.isArray(schema.type) && schema.type.includes('null')
}

export function typeOf(schema: JsonSchema): string {
  return (Array.isArray(schema.type) ? schema.type.find((t) => t !== 'null') : schema.type) ?? (schema.properties ? 'object' : 'string')
}

/** Whether a secret can stand there: text that a person writes, not one of a few choices or the name of something. */
export function takesSecret(schema: JsonSchema): boolean {
  return typeOf(schema) === 'string' && !schema.enum && schema.const === undefined && (!schema.format || ['textarea', 'password', 'expression'].includes(schema.format))
}

/** The closed range of a number that is worth a slider: a share between two bounds at most 1 apart. */
export function sliderRange(schema: JsonSchema): [number, number] | null {
  const low = schema.minimum ?? schema.exclusiveMinimum
  const high = schema.maximum ?? schema.exclusiveMaximum
  return typeOf(schema) === 'number' && low !== undefined && high !== undefined && high > low && high - low <= 1 ? [low, high] : null
}

const WIDGETS = new Set(['column', 'columns', 'dataset-version', 'expression', 'model-name', 'endpoint-name', 'seed', 'password', 'time-zone', 'dataset-name', 'pipeline-name', 'model-choice'])

/** Which widget draws what, from the schema alone, so that a component never needs a uiSchema of its own. */
export function uiSchemaOf(schema: JsonSchema): Record<string, unknown> {
  const ui: Record<string, unknown> = {}
  if (schema.properties) for (const [name, child] of Object.entries(schema.properties)) ui[name] = uiSchemaOf(child)
  if (schema.format && WIDGETS.has(schema.format)) ui['ui:widget'] = schema.format
  else if (schema.const !== undefined) ui['ui:widget'] = 'hidden'
  else if (typeOf(schema) === 'object' && !schema.properties && (schema.additionalProperties as JsonSchema | undefined)?.type === 'string') ui['ui:field'] = 'pairs'
  else if (typeOf(schema) === 'array') {
    const items = schema.items ?? {}
    if (items.format && WIDGETS.has(items.format)) ui['ui:widget'] = items.format === 'column' ? 'columns' : items.format
    else if (items.enum) ui['ui:widget'] = 'choices'
    else if (['string', 'number', 'integer'].includes(typeOf(items)) && !items.properties) ui['ui:widget'] = 'tags'
  } else if (schema.enum) ui['ui:widget'] = 'choice'
  else if (typeOf(schema) === 'boolean') ui['ui:widget'] = 'switch'
  else if (schema.oneOf || schema.anyOf) {
    // rjsf draws these with its own selector.
  } else if (sliderRange(schema)) ui['ui:widget'] = 'share'
  else if (['number', 'integer'].includes(typeOf(schema))) ui['ui:widget'] = 'numeric'
  else if (typeOf(schema) === 'string') ui['ui:widget'] = Number(schema.maxLength ?? 0) > 300 || schema.format === 'textarea' ? 'paragraph' : 'line'
  return ui
}

/** A choice as people read it: `gradient_boosting` → `Gradient boosting`; anything with capitals or signs stays. */
export function choiceLabel(value: unknown): string {
  return typeof value === 'string' && /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/.test(value) && value.length > 2 ? humanise(value) : String(value)
}

export type Invalid = { path: string[]; message: string }

const STRUCTURAL = new Set(['properties', 'items', 'prefixItems', 'anyOf', 'oneOf', 'allOf', '$ref', 'if', 'then', 'else', 'additionalProperties', 'dependentSchemas'])

/** Every value that does not fit, by its path, in words. Empty when all is right. */
export function check(schema: JsonSchema, value: unknown): Invalid[] {
  const simple = allowNullInEnums(simplify(schema))
  const result = new Validator(simple as CfSchema, '2020-12', false).validate(value)
  if (result.valid) return []
  const found: Invalid[] = []
  const choice: Invalid[] = []
  for (const error of result.errors) {
    const path = error.instanceLocation.replace(/^#\/?/, '').split('/').filter(Boolean).map(decodePointer)
    if (error.keyword === 'required') {
      const name = /property "(.+?)"/.exec(error.error)?.[1]
      found.push({ path: name ? [...path, name] : path, message: 'This is needed.' })
    } else if (error.keyword === 'anyOf' || error.keyword === 'oneOf') choice.push({ path, message: 'This fits none of the allowed forms.' })
    else if (!STRUCTURAL.has(error.keyword)) found.push({ path, message: say(error.keyword, at(simple, path), error.error) })
  }
  const all = found.length ? found : choice
  return all.filter((e, i) => all.findIndex((o) => o.path.join('/') === e.path.join('/')) === i)
}

function decodePointer(part: string): string {
  return decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~')
}

function allowNullInEnums(schema: JsonSchema): JsonSchema {
  const s = { ...schema }
  if (s.enum && isNullable(s)) s.enum = [...s.enum, null]
  if (s.properties) s.properties = Object.fromEntries(Object.entries(s.properties).map(([n, p]) => [n, allowNullInEnums(p)]))
  return s
}

function at(schema: JsonSchema, path: string[]): JsonSchema {
  let s: JsonSchema = schema
  for (const part of path) s = s.properties?.[part] ?? s.items ?? {}
  return s
}

function say(keyword: string, s: JsonSchema, fallback: string): string {
  switch (keyword) {
    case 'type':
      return { integer: 'This must be a whole number.', number: 'This must be a number.', boolean: 'This must be on or off.', string: 'This must be text.', array: 'This must be a list.' }[typeOf(s)] ?? fallback
    case 'minimum':
      return `At least ${s.minimum}.`
    case 'maximum':
      return `At most ${s.maximum}.`
    case 'exclusiveMinimum':
      return `More than ${s.exclusiveMinimum}.`
    case 'exclusiveMaximum':
      return `Less than ${s.exclusiveMaximum}.`
    case 'enum':
      return `One of: ${(s.enum ?? []).filter((v) => v !== null).join(', ')}.`
    case 'minLength':
      return s.minLength === 1 ? 'This may not be empty.' : `At least ${String(s.minLength)} characters.`
    case 'maxLength':
      return `At most ${String(s.maxLength)} characters.`
    case 'minItems':
      return s.minItems === 1 ? 'Choose at least one.' : `Choose at least ${String(s.minItems)}.`
    case 'maxItems':
      return `Choose at most ${String(s.maxItems)}.`
    case 'multipleOf':
      return `A multiple of ${String(s.multipleOf)}.`
    case 'pattern':
      return `This must match ${String(s.pattern)}.`
    case 'uniqueItems':
      return 'The same value is here twice.'
    default:
      return fallback
  }
}
