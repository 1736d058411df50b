/** An object from text to text (`additionalProperties: {type: string}`) as rows: what is on the left, and what it becomes. */
import { ActionIcon, Autocomplete, Button, Group, Input, Stack, TextInput } from '@mantine/core'
import type { FieldProps } from '@rjsf/utils'
import { IconArrowRight, IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import type { SchemaFormContext } from './context'

type Row = [from: string, to: string]

const told = (rows: Row[]) => Object.fromEntries(rows.filter(([from]) => from !== ''))

export function Pairs({ schema, formData, onChange, fieldPathId, registry, disabled, readonly, name, rawErrors }: FieldProps) {
  const value = (formData ?? {}) as Record<string, string>
  const [kept, setKept] = useState<Row[]>(() => Object.entries(value))
  // Rows that are not finished are nobody else's; what came from elsewhere replaces them.
  const rows = JSON.stringify(told(kept)) === JSON.stringify(value) ? kept : Object.entries(value)
  const columns = Object.values(((registry.formContext ?? {}) as SchemaFormContext).columns ?? {}).flatMap((known) => known?.map((column) => column.name) ?? [])
  const label = schema.title ?? name
  const off = disabled || readonly
  const set = (next: Row[]) => {
    setKept(next)
    onChange(told(next), fieldPathId.path)
  }
  const put = (index: number, row: Row) => set(rows.map((one, at) => (at === index ? row : one)))
  return (
    <Input.Wrapper label={label} labelElement="div" description={schema.description} error={rawErrors?.length ? rawErrors.join(' ') : undefined} inputWrapperOrder={['label', 'input', 'description', 'error']}>
      <Stack gap={6} mb={4} role="group" aria-label={label}>
        {rows.map(([from, to], index) => (
          <Group key={index} gap={6} wrap="nowrap">
            <Autocomplete flex={1} miw={0} size="xs" aria-label={`${label}, row ${index + 1}: from`} data={[...new Set(columns)]} value={from} disabled={off} onChange={(text) => put(index, [text, to])} />
            <IconArrowRight size={14} aria-hidden style={{ flex: 'none' }} />
            <TextInput flex={1} miw={0} size="xs" aria-label={`${label}, row ${index + 1}: to`} value={to} disabled={off} onChange={(event) => put(index, [from, event.currentTarget.value])} />
            {!off && (
              <ActionIcon size={24} variant="subtle" color="gray" aria-label={`Remove row ${index + 1} of ${label}`} onClick={() => set(rows.filter((_, at) => at !== index))}>
                <IconX size={14} aria-hidden />
              </ActionIcon>
            )}
          </Group>
        ))}
        {!off && (
          <Button size="compact-xs" variant="default" leftSection={<IconPlus size={13} aria-hidden />} style={{ alignSelf: 'flex-start' }} onClick={() => setKept([...rows, ['', '']])}>
            Add a row
          </Button>
        )}
      </Stack>
    </Input.Wrapper>
  )
}
