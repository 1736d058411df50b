import { MantineProvider } from '@mantine/core'
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useState } from 'react'
import { expect, test } from 'vitest'
import { SchemaForm, type JsonSchema } from '.'

const schema: JsonSchema = {
  type: 'object',
  required: ['target'],
  properties: {
    target: { type: 'string', format: 'column', 'x-port': 'table', title: 'Target' },
    trees: { type: 'integer', minimum: 1, maximum: 5000, default: 200, title: 'Trees', description: 'How many trees.' },
    balance: { type: 'boolean', default: false, title: 'Balance classes' },
  },
}

let latest: Record<string, unknown> = {}
function Harness() {
  const [value, setValue] = useState<Record<string, unknown>>({})
  latest = value
  return (
    <MantineProvider env="test">
      <SchemaForm schema={schema} value={value} onChange={setValue} context={{ columns: { table: [{ name: 'age', type: 'integer' }, { name: 'income', type: 'category' }] } }} errors={{ target: 'The column is constant.' }} />
    </MantineProvider>
  )
}

test('a person fills the form by its labels and sees help, limits and the server’s own message at the field', async () => {
  const user = userEvent.setup()
  render(<Harness />)
  const trees = await screen.findByLabelText(/Trees/)
  expect(screen.getByText('How many trees.')).toBeTruthy()
  expect(screen.getByText(/The column is constant/)).toBeTruthy()
  await user.clear(trees)
  await user.type(trees, '9000')
  expect(latest.trees).toBe(9000)
  expect(await screen.findByText(/At most 5000/)).toBeTruthy()
  await user.click(screen.getByLabelText(/Balance classes/))
  expect(latest.balance).toBe(true)
  await user.click(screen.getByRole('combobox', { name: /Target/ }))
  await user.click(await screen.findByText('income'))
  expect(latest.target).toBe('income')
}, 30_000)

const texts: JsonSchema['properties'] = { address: { type: 'string', title: 'Address' }, key: { type: 'string', format: 'password', title: 'Key' } }

function Referring() {
  const [value, setValue] = useState<Record<string, unknown>>({ trees: 5 })
  latest = value
  return (
    <MantineProvider env="test">
      <SchemaForm schema={{ ...schema, properties: { ...schema.properties, ...texts } }} value={value} onChange={setValue} context={{ references: { parameters: [{ name: 'size', title: 'How many trees', type: 'integer' }], secrets: { names: ['SHOP_TOKEN'], settings: '/settings' } } }} />
    </MantineProvider>
  )
}

test('a field can refer to a parameter of the pipeline, is a chip then, and goes back to a value of its own', async () => {
  const user = userEvent.setup()
  render(<Referring />)
  await user.click(await screen.findByTitle('A parameter of the pipeline or a secret for “Trees”'))
  await user.click(await screen.findByRole('menuitem', { name: 'How many trees' }))
  expect(latest.trees).toEqual({ $parameter: 'size' })
  expect(screen.getByRole('group', { name: 'Trees' }).textContent).toContain('Parameter of the pipeline: How many trees')
  // What is changed elsewhere leaves it alone.
  await user.click(screen.getByLabelText(/Balance classes/))
  expect(latest).toMatchObject({ trees: { $parameter: 'size' }, balance: true })
  await user.click(screen.getByRole('button', { name: 'Give Trees a value of its own' }))
  expect(latest.trees).not.toEqual({ $parameter: 'size' })
  expect(await screen.findByRole('textbox', { name: 'Trees' })).toBeTruthy()
}, 30_000)

test('a text refers to a secret by choosing its name; a field meant for one takes nothing else', async () => {
  const user = userEvent.setup()
  render(<Referring />)
  await user.click(await screen.findByTitle('A parameter of the pipeline or a secret for “Address”'))
  expect((await screen.findByRole('menuitem', { name: 'Set a secret in the settings' })).getAttribute('href')).toBe('/settings')
  await user.click(screen.getByRole('menuitem', { name: 'SHOP_TOKEN' }))
  expect(latest.address).toEqual({ $secret: 'SHOP_TOKEN' })
  await user.click(screen.getByRole('combobox', { name: 'Key' }))
  await user.click(await screen.findByRole('option', { name: 'SHOP_TOKEN' }))
  expect(latest.key).toEqual({ $secret: 'SHOP_TOKEN' })
  await user.type(screen.getByRole('combobox', { name: 'Key' }), 'hunter2')
  await user.tab()
  expect(latest.key).toEqual({ $secret: 'SHOP_TOKEN' })
}, 30_000)

function Renaming() {
  const [value, setValue] = useState<Record<string, unknown>>({ rename: { b: 'c' } })
  latest = value
  return (
    <MantineProvider env="test">
      <SchemaForm schema={{ type: 'object', properties: { rename: { type: 'object', additionalProperties: { type: 'string' }, title: 'Rename' } } }} value={value} onChange={setValue} />
    </MantineProvider>
  )
}

test('names for names are rows that are added, filled in and removed', async () => {
  const user = userEvent.setup()
  render(<Renaming />)
  await user.click(await screen.findByRole('button', { name: 'Add a row' }))
  await user.type(screen.getByRole('combobox', { name: 'Rename, row 2: from' }), 'age')
  await user.type(screen.getByLabelText('Rename, row 2: to'), 'years')
  expect(latest.rename).toEqual({ b: 'c', age: 'years' })
  await user.click(screen.getByRole('button', { name: 'Remove row 1 of Rename' }))
  expect(latest.rename).toEqual({ age: 'years' })
}, 30_000)
