/** One widget a kind of parameter. All show label, help and error the same way, through Mantine's own wiring. */
import { ActionIcon, Autocomplete, Box, Button, Group, MultiSelect, NumberInput, PasswordInput, Select, Slider, Stack, Switch, TagsInput, Text, Textarea, TextInput, Tooltip } from '@mantine/core'
import type { RegistryWidgetsType, WidgetProps } from '@rjsf/utils'
import { IconDice5 } from '@tabler/icons-react'
import { useRef } from 'react'
import type { ColumnChoice, NameChoice, SchemaFormContext } from './context'
import { choiceLabel, isNullable, sliderRange, typeOf, type JsonSchema } from './schema'

const ORDER: ('label' | 'input' | 'description' | 'error')[] = ['label', 'input', 'description', 'error']

/** What every Mantine input of the form gets. */
function common(props: WidgetProps) {
  return {
    id: props.id,
    name: props.htmlName ?? props.id,
    label: props.hideLabel ? undefined : props.label,
    'aria-label': props.hideLabel ? props.label : undefined,
    description: props.options.description ?? props.schema.description,
    required: props.required,
    withAsterisk: props.required && props.schema.default === undefined,
    disabled: props.disabled || props.readonly,
    placeholder: props.placeholder || undefined,
    error: props.rawErrors?.length ? props.rawErrors.join(' ') : undefined,
    inputWrapperOrder: ORDER,
    onBlur: () => props.onBlur(props.id, props.value),
  }
}

const contextOf = (props: WidgetProps): SchemaFormContext => (props.registry.formContext ?? {}) as SchemaFormContext
const schemaOf = (props: WidgetProps) => props.schema as JsonSchema
/** An emptied field is null where null is allowed, else absent, so that the default applies again. */
const nothing = (props: WidgetProps) => (isNullable(schemaOf(props)) ? null : undefined)

function Line(props: WidgetProps) {
  return <TextInput {...common(props)} value={props.value ?? ''} onChange={(e) => props.onChange(e.currentTarget.value === '' ? nothing(props) : e.currentTarget.value)} />
}

function Paragraph(props: WidgetProps) {
  return <Textarea {...common(props)} autosize minRows={2} maxRows={12} value={props.value ?? ''} onChange={(e) => props.onChange(e.currentTarget.value === '' ? nothing(props) : e.currentTarget.value)} />
}

function stepOf(s: JsonSchema): number {
  if (typeof s.multipleOf === 'number') return s.multipleOf
  if (typeOf(s) === 'integer') return 1
  const size = Math.abs(Number(s.default ?? 0))
  return size > 0 && size < 1 ? 10 ** Math.floor(Math.log10(size)) : size >= 10 ? 1 : 0.1
}

function Numeric(props: WidgetProps) {
  const s = schemaOf(props)
  return (
    <NumberInput
      {...common(props)}
      value={props.value ?? ''}
      onChange={(value) => props.onChange(value === '' ? nothing(props) : value)}
      allowDecimal={typeOf(s) !== 'integer'}
      decimalScale={typeOf(s) === 'integer' ? 0 : 12}
      step={stepOf(s)}
      placeholder={isNullable(s) ? 'Not set' : typeof s.default === 'number' ? String(s.default) : undefined}
      clampBehavior="none"
      inputMode={typeOf(s) === 'integer' ? 'numeric' : 'decimal'}
    />
  )
}

function Share(props: WidgetProps) {
  const [low, high] = sliderRange(schemaOf(props)) ?? [0, 1]
  const value = typeof props.value === 'number' ? props.value : undefined
  return (
    <Stack gap={6}>
      <NumberInput
        {...common(props)}
        value={value ?? ''}
        placeholder={typeof props.schema.default === 'number' ? String(props.schema.default) : undefined}
        onChange={(next) => props.onChange(next === '' ? nothing(props) : next)}
        step={(high - low) / 20}
        decimalScale={6}
        clampBehavior="none"
      />
      {/* A second way to set the same value, for the pointer; the number field is the one for the keyboard and for screen readers. */}
      <Box aria-hidden>
        <Slider
          size="sm"
          min={low}
          max={high}
          step={(high - low) / 100}
          value={value ?? (typeof props.schema.default === 'number' ? props.schema.default : low)}
          label={null}
          disabled={props.disabled || props.readonly}
          onChange={(next) => props.onChange(Number(next.toPrecision(6)))}
          thumbProps={{ tabIndex: -1 }}
        />
      </Box>
    </Stack>
  )
}

function Toggle(props: WidgetProps) {
  const { label, description, error, id, name, disabled } = common(props)
  return <Switch id={id} name={name} label={label} description={description} error={error} disabled={disabled} checked={Boolean(props.value ?? props.schema.default)} onChange={(e) => props.onChange(e.currentTarget.checked)} />
}

function Choice(props: WidgetProps) {
  const s = schemaOf(props)
  const values = (s.enum ?? []).filter((v) => v !== null)
  const index = values.findIndex((v) => v === props.value)
  const fields = common(props)
  return (
    <Select
      {...fields}
      data={values.map((v, i) => ({ value: String(i), label: choiceLabel(v) }))}
      value={index < 0 ? null : String(index)}
      onChange={(i) => props.onChange(i === null ? nothing(props) : values[Number(i)])}
      allowDeselect={false}
      clearable={isNullable(s)}
      searchable={values.length > 8}
      placeholder={isNullable(s) ? 'Not set' : s.default !== undefined && s.default !== null ? choiceLabel(s.default) : 'Choose'}
    />
  )
}

function Choices(props: WidgetProps) {
  const values = schemaOf(props).items?.enum ?? []
  const chosen = Array.isArray(props.value) ? props.value : []
  return (
    <MultiSelect
      {...common(props)}
      data={values.map((v, i) => ({ value: String(i), label: choiceLabel(v) }))}
      value={chosen.map((v) => String(values.indexOf(v)))}
      onChange={(next) => props.onChange(next.map((i) => values[Number(i)]))}
      clearable
      searchable
    />
  )
}

function Tags(props: WidgetProps) {
  const numeric = ['number', 'integer'].includes(typeOf(schemaOf(props).items ?? {}))
  const chosen: unknown[] = Array.isArray(props.value) ? props.value : []
  return (
    <TagsInput
      {...common(props)}
      value={chosen.map(String)}
      onChange={(next) => props.onChange(numeric ? next.map(Number).filter((n) => !Number.isNaN(n)) : next)}
      placeholder={chosen.length ? undefined : 'Type and press Enter'}
      splitChars={[',', ';']}
      acceptValueOnBlur
      clearable
    />
  )
}

function columnsOf(props: WidgetProps): { known: ColumnChoice[] | undefined; port: string } {
  const s = schemaOf(props)
  const port = String(s['x-port'] ?? s.items?.['x-port'] ?? 'table')
  return { known: contextOf(props).columns?.[port], port }
}

const unknownColumns = (port: string) => `Columns are listed once the input “${port}” is connected. You can type a name.`

function ColumnPicker(props: WidgetProps) {
  const { known, port } = columnsOf(props)
  const fields = common(props)
  if (!known) {
    return <TextInput {...fields} description={fields.description ?? unknownColumns(port)} value={props.value ?? ''} onChange={(e) => props.onChange(e.currentTarget.value || nothing(props))} />
  }
  const missing = typeof props.value === 'string' && props.value !== '' && !known.some((c) => c.name === props.value)
  return (
    <Select
      {...fields}
      data={[...(missing ? [{ value: String(props.value), label: String(props.value) }] : []), ...known.map((c) => ({ value: c.name, label: c.name }))]}
      error={fields.error ?? (missing ? `The table has no column “${props.value}”.` : undefined)}
      value={props.value || null}
      onChange={(value) => props.onChange(value ?? nothing(props))}
      searchable
      clearable={isNullable(schemaOf(props)) || !props.required}
      placeholder={isNullable(schemaOf(props)) ? 'None' : 'Choose a column'}
      nothingFoundMessage="No column of that name"
      renderOption={({ option }) => <ColumnOption name={option.label} type={known.find((c) => c.name === option.value)?.type} />}
    />
  )
}

function ColumnOption({ name, type }: { name: string; type?: string }) {
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs" flex={1} miw={0}>
      <Text size="sm" truncate>
        {name}
      </Text>
      <Text size="xs" c="dimmed" flex="none">
        {type}
      </Text>
    </Group>
  )
}

function ColumnsPicker(props: WidgetProps) {
  const { known, port } = columnsOf(props)
  const fields = common(props)
  const chosen: string[] = Array.isArray(props.value) ? (props.value as string[]) : []
  if (!known) {
    return <TagsInput {...fields} description={fields.description ?? unknownColumns(port)} value={chosen} onChange={props.onChange} clearable acceptValueOnBlur />
  }
  const missing = chosen.filter((name) => !known.some((c) => c.name === name))
  return (
    <Stack gap={4}>
      <MultiSelect
        {...fields}
        data={[...new Set([...missing, ...known.map((c) => c.name)])]}
        error={fields.error ?? (missing.length ? `The table has no column ${missing.map((m) => `“${m}”`).join(', ')}.` : undefined)}
        value={chosen}
        onChange={props.onChange}
        searchable
        clearable
        hidePickedOptions
        maxDropdownHeight={280}
        placeholder={chosen.length ? undefined : isNullable(schemaOf(props)) || !props.required ? 'All columns' : 'Choose columns'}
        nothingFoundMessage="No column of that name"
        renderOption={({ option }) => <ColumnOption name={option.label} type={known.find((c) => c.name === option.value)?.type} />}
      />
      {known.length > 1 && (
        <Group gap={4}>
          <Button size="compact-xs" variant="subtle" disabled={fields.disabled || chosen.length === known.length} onClick={() => props.onChange(known.map((c) => c.name))}>
            Choose all {known.length}
          </Button>
          <Button size="compact-xs" variant="subtle" disabled={fields.disabled} onClick={() => props.onChange(known.filter((c) => !chosen.includes(c.name)).map((c) => c.name))}>
            Invert
          </Button>
        </Group>
      )}
    </Stack>
  )
}

function DatasetVersionPicker(props: WidgetProps) {
  const fields = common(props)
  const datasets = contextOf(props).datasets
  const [slug = '', version = 'latest'] = String(props.value ?? '').split('@')
  const wanted = schemaOf(props)['x-modality']
  const fitting = datasets?.filter((d) => !wanted || d.modality === wanted)
  const chosen = datasets?.find((d) => d.slug === slug)
  const numbers = chosen?.versions ?? Array.from({ length: chosen?.latest ?? 0 }, (_, i) => i + 1)
  if (!datasets) return <TextInput {...fields} value={props.value ?? ''} placeholder="name@latest" onChange={(e) => props.onChange(e.currentTarget.value || undefined)} />
  const known = slug === '' || chosen !== undefined
  return (
    <Group gap="xs" align="flex-start" wrap="nowrap">
      <Select
        {...fields}
        flex={1}
        miw={0}
        data={[...(known ? [] : [{ value: slug, label: slug }]), ...(fitting ?? []).map((d) => ({ value: d.slug, label: d.name }))]}
        error={fields.error ?? (known ? undefined : `This project has no data set “${slug}”.`)}
        value={slug || null}
        onChange={(next) => props.onChange(next ? `${next}@latest` : undefined)}
        searchable
        allowDeselect={false}
        placeholder={fitting?.length ? 'Choose a data set' : 'Upload a data set first'}
      />
      <Select
        label="Version"
        aria-label="Version"
        w={110}
        disabled={fields.disabled || !chosen}
        data={[{ value: 'latest', label: chosen?.latest ? `Latest (${chosen.latest})` : 'Latest' }, ...[...numbers].reverse().map((n) => ({ value: String(n), label: String(n) }))]}
        value={version}
        allowDeselect={false}
        onChange={(next) => props.onChange(`${slug}@${next ?? 'latest'}`)}
      />
    </Group>
  )
}

function ExpressionField(props: WidgetProps) {
  const { known } = columnsOf(props)
  const fields = common(props)
  const area = useRef<HTMLTextAreaElement>(null)
  const insert = (name: string) => {
    const word = /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name}\``
    const text = String(props.value ?? '')
    const start = area.current?.selectionStart ?? text.length
    const end = area.current?.selectionEnd ?? text.length
    props.onChange(`${text.slice(0, start)}${word}${text.slice(end)}`)
    requestAnimationFrame(() => {
      area.current?.focus()
      area.current?.setSelectionRange(start + word.length, start + word.length)
    })
  }
  return (
    <Stack gap={4}>
      <Textarea
        {...fields}
        ref={area}
        autosize
        minRows={2}
        maxRows={8}
        spellCheck={false}
        value={props.value ?? ''}
        placeholder={'age > 40 and sex == "Female"'}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
        onChange={(e) => props.onChange(e.currentTarget.value || nothing(props))}
      />
      {known && known.length > 0 && (
        <Group gap={4} role="group" aria-label="Insert a column">
          {known.slice(0, 40).map((c) => (
            <Button key={c.name} size="compact-xs" variant="default" disabled={fields.disabled} onClick={() => insert(c.name)}>
              {c.name}
            </Button>
          ))}
        </Group>
      )}
    </Stack>
  )
}

function NameField(kind: 'models' | 'endpoints') {
  return function NamePicker(props: WidgetProps) {
    const fields = common(props)
    const known = contextOf(props)[kind] ?? []
    return (
      <Autocomplete
        {...fields}
        data={known.map((k) => k.slug)}
        value={props.value ?? ''}
        onChange={(value) => props.onChange(value || nothing(props))}
        description={fields.description ?? (known.length ? 'An existing name adds to it; a new name makes one.' : undefined)}
      />
    )
  }
}

/** One of the project's own things by name, or any: the field says what empty means. */
function OneOf(kind: 'datasets' | 'models' | 'pipelines') {
  return function OneOfPicker(props: WidgetProps) {
    const known: NameChoice[] = contextOf(props)[kind] ?? []
    const missing = Boolean(props.value) && !known.some((k) => k.slug === props.value)
    return (
      <Select
        {...common(props)}
        data={[...(missing ? [{ value: String(props.value), label: String(props.value) }] : []), ...known.map((k) => ({ value: k.slug, label: k.name }))]}
        value={props.value || null}
        onChange={(value) => props.onChange(value ?? nothing(props))}
        placeholder="Any"
        searchable
        clearable
      />
    )
  }
}

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]

function TimeZone(props: WidgetProps) {
  return <Select {...common(props)} data={ZONES} value={props.value || 'UTC'} onChange={(value) => props.onChange(value ?? 'UTC')} searchable allowDeselect={false} limit={60} nothingFoundMessage="No time zone of that name" />
}

/** Never shows what is kept. Empty leaves a kept secret as it is. */
function Secret(props: WidgetProps) {
  const kept = contextOf(props).kept?.includes(props.name)
  return (
    <PasswordInput
      {...common(props)}
      placeholder={kept ? 'Kept; type to replace it' : undefined}
      autoComplete="new-password"
      value={props.value ?? ''}
      onChange={(e) => props.onChange(e.currentTarget.value === '' ? undefined : e.currentTarget.value)}
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
    />
  )
}

function Seed(props: WidgetProps) {
  const fields = common(props)
  return (
    <NumberInput
      {...fields}
      value={props.value ?? ''}
      onChange={(value) => props.onChange(value === '' ? nothing(props) : value)}
      allowDecimal={false}
      allowNegative={false}
      hideControls
      clampBehavior="none"
      rightSection={
        <Tooltip label="Another number">
          <ActionIcon size="md" disabled={fields.disabled} aria-label="Choose another seed" onClick={() => props.onChange(Math.floor(Math.random() * 100_000))}>
            <IconDice5 size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      }
    />
  )
}

function Hidden() {
  return null
}

export const widgets: RegistryWidgetsType = {
  line: Line,
  paragraph: Paragraph,
  numeric: Numeric,
  share: Share,
  switch: Toggle,
  choice: Choice,
  choices: Choices,
  tags: Tags,
  column: ColumnPicker,
  columns: ColumnsPicker,
  'dataset-version': DatasetVersionPicker,
  expression: ExpressionField,
  'model-name': NameField('models'),
  'endpoint-name': NameField('endpoints'),
  seed: Seed,
  password: Secret,
  'time-zone': TimeZone,
  'dataset-name': OneOf('datasets'),
  'pipeline-name': OneOf('pipelines'),
  'model-choice': OneOf('models'),
  hidden: Hidden,
}
