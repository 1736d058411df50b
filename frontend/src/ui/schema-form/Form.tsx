/** The drawn form. Loaded lazily by SchemaForm: rjsf is needed only where a form is open. */
import { Accordion, Box, Stack, Text } from '@mantine/core'
import { withTheme } from '@rjsf/core'
import { Theme } from '@rjsf/mantine'
import type { ErrorSchema, FieldTemplateProps, ObjectFieldTemplateProps, RJSFSchema } from '@rjsf/utils'
import { useEffect, useMemo, useRef } from 'react'
import type { SchemaFormContext } from './context'
import { Pairs } from './Pairs'
import { isReference, ReferenceChip, ReferenceMenu, SecretField } from './Reference'
import type { SchemaFormProps } from './SchemaForm'
import { simplify, takesSecret, typeOf, uiSchemaOf, type JsonSchema } from './schema'
import { validator } from './validator'
import { widgets } from './widgets'

type FormContext = SchemaFormContext & { bound?: Record<string, unknown>; bind?: (name: string, reference: unknown) => void }

/** The widgets show their own label, help and errors; only lists and objects without a widget need the errors here. */
function Field({ children, hidden, rawErrors, schema, uiSchema, fieldPathId, label, registry, disabled, required }: FieldTemplateProps) {
  if (hidden || uiSchema?.['ui:widget'] === 'hidden') return <Box display="none">{children}</Box>
  const { references, bound, bind } = (registry.formContext ?? {}) as FormContext
  const name = fieldPathId.path.length === 1 ? String(fieldPathId.path[0]) : null
  const title = schema.title ?? label
  const kept = name === null ? undefined : bound?.[name]
  if (name !== null && bind && references?.secrets && schema.format === 'password' && (kept === undefined || Object.hasOwn(kept as object, '$secret')))
    return <SecretField label={title} help={schema.description} required={required} value={kept} secrets={references.secrets} errors={rawErrors} disabled={disabled} onChoose={(reference) => bind(name, reference)} />
  if (name !== null && kept) return <ReferenceChip label={title} reference={kept} choices={references} errors={rawErrors} onClear={disabled ? undefined : () => bind?.(name, undefined)} />
  if (name !== null && references && bind && !disabled) {
    return (
      <Box pos="relative">
        {children}
        <ReferenceMenu label={title} choices={references} type={typeOf(schema as JsonSchema)} secret={takesSecret(schema as JsonSchema)} onChoose={(reference) => bind(name, reference)} />
      </Box>
    )
  }
  const own = !uiSchema?.['ui:widget'] && !uiSchema?.['ui:field'] && (schema.type === 'array' || schema.type === 'object')
  return (
    <Box>
      {children}
      {own && rawErrors?.map((message) => (
        <Text key={message} size="xs" c="red" mt={4}>
          {message}
        </Text>
      ))}
    </Box>
  )
}

/** Parameters one below the other; those marked `x-advanced` folded away. */
function ObjectFields({ properties, schema, title, fieldPathId }: ObjectFieldTemplateProps) {
  const children = (schema as JsonSchema).properties ?? {}
  const advanced = properties.filter((p) => children[p.name]?.['x-advanced'])
  const plain = properties.filter((p) => !advanced.includes(p))
  const root = fieldPathId.path.length === 0
  return (
    <Stack gap="md" role={root ? undefined : 'group'} aria-label={root ? undefined : title}>
      {!root && title && (
        <Text size="sm" fw={600}>
          {title}
        </Text>
      )}
      {plain.map((p) => p.content && <Box key={p.name} display={p.hidden ? 'none' : undefined}>{p.content}</Box>)}
      {advanced.length > 0 && (
        <Accordion variant="contained" chevronPosition="left">
          <Accordion.Item value="advanced">
            <Accordion.Control>
              <Text size="sm">More settings ({advanced.length})</Text>
            </Accordion.Control>
            <Accordion.Panel>
              <Stack gap="md">{advanced.map((p) => <Box key={p.name}>{p.content}</Box>)}</Stack>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
      )}
    </Stack>
  )
}

const Themed = withTheme({
  ...Theme,
  widgets: { ...Theme.widgets, ...widgets },
  fields: { ...Theme.fields, pairs: Pairs },
  templates: { ...Theme.templates, FieldTemplate: Field, ObjectFieldTemplate: ObjectFields },
})

const NO_CONTEXT: SchemaFormContext = {}

export default function Form({ schema, value, onChange, context = NO_CONTEXT, errors, disabled, idPrefix }: SchemaFormProps) {
  // What refers to something else is no value yet: it is neither drawn as one nor checked.
  const found = Object.fromEntries(Object.entries(value).filter(([, one]) => isReference(one)))
  const told = JSON.stringify(found)
  const bound = useMemo(() => JSON.parse(told) as Record<string, unknown>, [told])
  const names = Object.keys(bound).join()
  const drawn = useMemo(() => {
    const whole = simplify(schema)
    const simple = names ? { ...whole, required: (whole.required ?? []).filter((name) => !names.split(',').includes(name)) } : whole
    // The form is already headed by what it belongs to.
    return { ...simple, title: undefined, description: undefined }
  }, [schema, names])
  // The same objects as long as nothing changed: the form compares what it is given.
  const own = useMemo(() => (names ? Object.fromEntries(Object.entries(value).filter(([name]) => !Object.hasOwn(bound, name))) : value), [value, bound, names])
  const latest = useRef({ value, onChange })
  useEffect(() => {
    latest.current = { value, onChange }
  })
  const formContext = useMemo<FormContext>(() => {
    const bind = (name: string, reference: unknown) => latest.current.onChange(Object.fromEntries(Object.entries({ ...latest.current.value, [name]: reference }).filter(([, one]) => one !== undefined)))
    return { ...context, bound, bind }
  }, [context, bound])
  const uiSchema = useMemo(() => ({ ...uiSchemaOf(drawn), 'ui:submitButtonOptions': { norender: true } }), [drawn])
  const extraErrors = useMemo(() => {
    const tree: Record<string, { __errors: string[] }> = {}
    for (const [field, message] of Object.entries(errors ?? {})) tree[field] = { __errors: [message] }
    return tree as ErrorSchema
  }, [errors])
  return (
    <Themed
      tagName="div"
      idPrefix={idPrefix ?? 'p'}
      schema={drawn as RJSFSchema}
      uiSchema={uiSchema}
      validator={validator}
      formData={own}
      formContext={formContext}
      extraErrors={extraErrors}
      onChange={(event) => onChange({ ...((event.formData ?? {}) as Record<string, unknown>), ...bound })}
      disabled={disabled}
      liveValidate="onChange"
      showErrorList={false}
      noHtml5Validate
      experimental_defaultFormStateBehavior={{ emptyObjectFields: 'skipDefaults', arrayMinItems: { populate: 'never' } }}
    />
  )
}
