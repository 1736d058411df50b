import { describe, expect, it } from 'vitest'
import { exampleRow, inputSchema, instanceOf, snippets, type Manifest } from './form'

const manifest: Manifest = {
  input: {
    kind: 'row',
    columns: [
      { name: 'age', type: 'integer', required: true, minimum: 17, maximum: 90, example: 39 },
      { name: 'sex', type: 'category', required: false, choices: ['Female', 'Male'], example: 'Male' },
      { name: "owner's note", type: 'text', required: false, example: "it's" },
    ],
  },
}

describe('the form of an endpoint', () => {
  it('has a field a column, with choices where the training data had few', () => {
    const schema = inputSchema(manifest)
    expect(Object.keys(schema.properties ?? {})).toEqual(['age', 'sex', "owner's note"])
    expect(schema.required).toEqual(['age'])
    expect(schema.properties?.sex).toMatchObject({ enum: ['Female', 'Male'] })
  })
  it('does not refuse values beyond the training data', () => {
    expect(inputSchema(manifest).properties?.age).not.toHaveProperty('maximum')
  })
  it('is filled with an example that the model accepts', () => {
    expect(exampleRow(manifest)).toEqual({ age: 39, sex: 'Male', "owner's note": "it's" })
  })
})

it('has room for a text, says how much of it is read, and sends an empty one as such', () => {
  const ticket: Manifest = {
    input: {
      kind: 'row',
      columns: [
        { name: 'text', type: 'text', required: true, most_characters: 10000, example: 'I cannot log in' },
        { name: 'age', type: 'number', required: false },
      ],
    },
  }
  const schema = inputSchema(ticket)
  expect(schema.properties?.text).toMatchObject({ format: 'textarea', description: `Free text, of which the first ${(10000).toLocaleString()} characters are read` })
  expect(schema.required).toEqual([])
  expect(instanceOf(ticket, { text: undefined, age: null })).toEqual({ text: '' })
  expect(instanceOf(ticket, { text: 'hello', age: 3 })).toEqual({ text: 'hello', age: 3 })
})

it('shows numbers as they were in the data, not as 32-bit floats spell them', () => {
  const fee: Manifest = { input: { kind: 'row', columns: [{ name: 'fee', type: 'number', minimum: -12.90999984741211, maximum: 126.75, example: 67.37000274658203 }] } }
  expect(inputSchema(fee).properties?.fee?.description).toContain('from -12.91 to 126.75')
  expect(exampleRow(fee)).toEqual({ fee: 67.37 })
})

describe('snippets', () => {
  it('quote an apostrophe so that a shell can read it', () => {
    const curl = snippets('http://x/predict', manifest)[0]?.code ?? ''
    expect(curl).toContain(String.raw`owner'\''s note`)
  })
  it('send the bytes of an image', () => {
    expect(snippets('http://x', { input: { kind: 'image' } })[0]?.code).toContain('--data-binary @image.png')
  })
})
