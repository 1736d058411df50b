import { expect, test } from 'vitest'
import { check, choiceLabel, simplify, uiSchemaOf, type JsonSchema } from './schema'

const schema: JsonSchema = {
  type: 'object',
  $defs: { Model: { type: 'string', enum: ['linear', 'random_forest'] } },
  required: ['target', 'columns'],
  properties: {
    target: { type: 'string', format: 'column', 'x-port': 'table', minLength: 1 },
    columns: { type: 'array', items: { type: 'string' }, format: 'columns', minItems: 1 },
    depth: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null, title: 'Depth' },
    share: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.2 },
    model: { anyOf: [{ $ref: '#/$defs/Model' }, { type: 'null' }] },
    seed: { type: 'integer', format: 'seed' },
    stratify: { type: 'boolean' },
    quantiles: { type: 'array', items: { type: 'number' } },
  },
}

test('“a number or nothing” becomes one field that may be empty, and its limits stay', () => {
  const simple = simplify(schema)
  expect(simple.properties?.depth).toMatchObject({ type: ['integer', 'null'], minimum: 1, title: 'Depth' })
  expect(simple.properties?.model).toMatchObject({ type: ['string', 'null'], enum: ['linear', 'random_forest'] })
})

test('each parameter gets the widget that its schema asks for', () => {
  const ui = uiSchemaOf(simplify(schema)) as Record<string, Record<string, string>>
  const widget = Object.fromEntries(Object.entries(ui).map(([name, u]) => [name, u['ui:widget']]))
  expect(widget).toEqual({ target: 'column', columns: 'columns', depth: 'numeric', share: 'share', model: 'choice', seed: 'seed', stratify: 'switch', quantiles: 'tags' })
})

test('every wrong value is told at its own field, in words, and right ones are not', () => {
  const good = { target: 'income', columns: ['age'], depth: null, share: 0.3, model: null }
  expect(check(schema, good)).toEqual([])
  const found = check(schema, { target: '', columns: [], depth: 0, share: 1, model: 'svm', seed: 1.5 })
  expect(Object.fromEntries(found.map((e) => [e.path.join('.'), e.message]))).toEqual({
    target: 'This may not be empty.',
    columns: 'Choose at least one.',
    depth: 'At least 1.',
    share: 'Less than 1.',
    model: 'One of: linear, random_forest.',
    seed: 'This must be a whole number.',
  })
})

test('what is missing is named, not only counted', () => {
  expect(check(schema, {}).map((e) => e.path.join('.'))).toEqual(['target', 'columns'])
})

test('identifiers read as words; names with capitals or signs stay as they are', () => {
  expect(choiceLabel('gradient_boosting')).toBe('Gradient boosting')
  expect(choiceLabel('AdamW')).toBe('AdamW')
  expect(choiceLabel(3)).toBe('3')
})
