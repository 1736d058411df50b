/** The settings a mapped step runs with, as a small table: a row a shard, a column for each of the step's own parameters. */
import { ActionIcon, Button, Group, MultiSelect, NumberInput, Select, Table, Text, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'

import type { JsonSchema } from '@/ui/schema-form'

import { MOST_SHARDS, settingColumns } from '../graph/flow'
import type { Component } from '../graph/types'
import type { Choices } from './Inspector'
import classes from './panels.module.css'

type Row = Readonly<Record<string, unknown>>
/** Longer lists come from YAML or a program; they are told, not drawn. */
const DRAWN = 50

/** The plain form of a parameter that may be empty. */
function bare(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const named = schema.$ref ? root.$defs?.[schema.$ref.replace('#/$defs/', '')] : undefined
  const branch = schema.anyOf?.find((one) => one.type !== 'null')
  return named ? { ...named, title: schema.title } : branch ? { ...bare(branch, root), title: schema.title } : schema
}

/** A list of settings is never without a parameter: the first that has a value of its own begins it. */
export function firstSetting(component: Component): Row | null {
  const properties = Object.entries((component.parameters as JsonSchema).properties ?? {})
  const [name, schema] = properties.find(([, one]) => one.default !== undefined && one.default !== null) ?? properties[0] ?? []
  return name ? { [name]: schema?.default ?? null } : null
}

export function Settings({ values, component, choices, readOnly, onChange }: { values: readonly Row[]; component: Component; choices: Choices; readOnly: boolean; onChange: (values: Row[]) => void }) {
  const root = component.parameters as JsonSchema
  const known = Object.keys(root.properties ?? {})
  const columns = settingColumns(values, known)
  const title = (name: string) => root.properties?.[name]?.title ?? name
  const choose = (next: string[]) => {
    if (next.length === 0) return
    const first = (name: string) => root.properties?.[name]?.default ?? null
    onChange(values.map((row) => Object.fromEntries(next.map((name) => [name, Object.hasOwn(row, name) ? row[name] : first(name)]))))
  }
  const put = (at: number, name: string, value: unknown) => onChange(values.map((row, index) => (index === at ? { ...row, [name]: value } : row)))
  return (
    <div>
      <MultiSelect label="Parameters that differ" data={known.map((name) => ({ value: name, label: title(name) }))} value={columns} onChange={choose} searchable disabled={readOnly} />
      {columns.length > 0 && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls sideways must be reachable by keys
        <div className={classes.settings} tabIndex={0} role="region" aria-label="Settings">
          <Table verticalSpacing={3} horizontalSpacing={4} fz="xs" aria-label="Settings">
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={24}>#</Table.Th>
                {columns.map((name) => (
                  <Table.Th key={name} miw={104}>
                    {title(name)}
                  </Table.Th>
                ))}
                <Table.Th w={28} />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {values.slice(0, DRAWN).map((row, index) => (
                <Table.Tr key={index}>
                  <Table.Td c="dimmed">{index}</Table.Td>
                  {columns.map((name) => (
                    <Table.Td key={name}>
                      <Cell schema={bare(root.properties?.[name] ?? {}, root)} label={`${title(name)}, setting ${index}`} value={row[name]} choices={choices} readOnly={readOnly} onChange={(value) => put(index, name, value)} />
                    </Table.Td>
                  ))}
                  <Table.Td>
                    {!readOnly && values.length > 1 && (
                      <ActionIcon size={24} variant="subtle" aria-label={`Remove setting ${index}`} onClick={() => onChange(values.filter((_row, at) => at !== index))}>
                        <IconX size={13} aria-hidden />
                      </ActionIcon>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Group justify="space-between" mt={6}>
        <Text size="xs" c="dimmed">
          {values.length} {values.length === 1 ? 'setting' : 'settings'}
          {values.length > DRAWN && `; the first ${DRAWN} are shown, the YAML has all`}
        </Text>
        {!readOnly && values.length < MOST_SHARDS && (
          <Button size="compact-xs" variant="default" leftSection={<IconPlus size={13} aria-hidden />} onClick={() => onChange([...values, { ...values.at(-1) }])}>
            Add a setting
          </Button>
        )}
      </Group>
    </div>
  )
}

function Cell({ schema, label, value, choices, readOnly, onChange }: { schema: JsonSchema; label: string; value: unknown; choices: Choices; readOnly: boolean; onChange: (value: unknown) => void }) {
  const shared = { size: 'xs', 'aria-label': label, disabled: readOnly } as const
  if (schema.type === 'boolean') return <Select {...shared} data={['yes', 'no']} value={value ? 'yes' : 'no'} allowDeselect={false} onChange={(next) => onChange(next === 'yes')} />
  if (schema.enum) {
    const options = schema.enum.filter((one) => one !== null)
    return <Select {...shared} data={options.map(String)} value={value === null || value === undefined ? null : String(value)} onChange={(next) => onChange(options.find((one) => String(one) === next) ?? null)} />
  }
  if (schema.type === 'number' || schema.type === 'integer') {
    return <NumberInput {...shared} hideControls allowDecimal={schema.type === 'number'} value={typeof value === 'number' ? value : ''} onChange={(next) => onChange(next === '' ? null : Number(next))} />
  }
  if (schema.format === 'dataset-version') {
    const names = (choices.datasets ?? []).map((one) => `${one.slug}@latest`)
    return <Select {...shared} data={[...new Set([...names, ...(typeof value === 'string' && value ? [value] : [])])]} value={typeof value === 'string' ? value : null} searchable onChange={onChange} />
  }
  if (schema.type === 'array' || schema.type === 'object') {
    // As JSON: what a list or an object holds has no room in a cell.
    return (
      <TextInput
        {...shared}
        ff="monospace"
        key={JSON.stringify(value)}
        defaultValue={value === null || value === undefined ? '' : JSON.stringify(value)}
        onBlur={(event) => {
          try {
            onChange(event.currentTarget.value.trim() === '' ? null : JSON.parse(event.currentTarget.value))
          } catch {
            event.currentTarget.value = JSON.stringify(value ?? null)
          }
        }}
      />
    )
  }
  return <TextInput {...shared} value={typeof value === 'string' ? value : ''} onChange={(event) => onChange(event.currentTarget.value)} />
}
