/** The drawn form. Loaded lazily by SchemaForm: rjsf is needed only where a form is open. */
import { Accordion, Box, Stack, Text } from '@mantine/core'
import { withTheme } from '@rjsf/core'
import { Theme } from '@rjsf/mantine'
import type { ErrorSchema, FieldTemplateProps, ObjectFieldTemplateProps, RJSFSchema } from '@rjsf/utils'
import { useMemo } from 'react'
import type { SchemaFormProps } from './SchemaForm'
import { simplify, uiSchemaOf, type JsonSchema } from './schema'
import { validator } from './validator'
import { widgets } from './widgets'

/** The widgets show their own label, help and errors; only lists and objects without a widget need the errors here. */
function Field({ children, hidden, rawErrors, schema, uiSchema }: FieldTemplateProps) {
  if (hidden || uiSchema?.['ui:widget'] === 'hidden') return <Box display="none">{children}</Box>
  const own = !uiSchema?.['ui:widget'] && (schema.type === 'array' || schema.type === 'object')
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
  templates: { ...Theme.templates, FieldTemplate: Field, ObjectFieldTemplate: ObjectFields },
})

export default function Form({ schema, value, onChange, context = {}, errors, disabled, idPrefix }: SchemaFormProps) {
  const drawn = useMemo(() => {
    const simple = simplify(schema)
    // The form is already headed by what it belongs to.
    return { ...simple, title: undefined, description: undefined }
  }, [schema])
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
      formData={value}
      formContext={context}
      extraErrors={extraErrors}
      onChange={(event) => onChange((event.formData ?? {}) as Record<string, unknown>)}
      disabled={disabled}
      liveValidate="onChange"
      showErrorList={false}
      noHtml5Validate
      experimental_defaultFormStateBehavior={{ emptyObjectFields: 'skipDefaults', arrayMinItems: { populate: 'never' } }}
    />
  )
}
