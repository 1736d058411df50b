/**
 * A form from a JSON Schema: the parameters of a step, the columns of an endpoint. Controlled: `value` holds what the
 * person set (absent = the default), `onChange` gets the whole new object. Values are checked as they change and each
 * message stands at its field; `errors` adds the server's, by parameter name. Ask `check(schema, value)` before sending.
 */
import { Skeleton, Stack } from '@mantine/core'
import { lazy, Suspense } from 'react'
import type { SchemaFormContext } from './context'
import type { JsonSchema } from './schema'

export type SchemaFormProps = {
  schema: JsonSchema
  value: Record<string, unknown>
  onChange: (value: Record<string, unknown>) => void
  context?: SchemaFormContext
  errors?: Record<string, string>
  disabled?: boolean
  /** Makes the fields' ids unique when two forms are on one page. */
  idPrefix?: string
}

const Form = lazy(() => import('./Form'))

export function SchemaForm(props: SchemaFormProps) {
  return (
    <Suspense
      fallback={
        <Stack gap="md" aria-busy="true">
          {Object.keys(props.schema.properties ?? {}).slice(0, 6).map((name) => (
            <Skeleton key={name} h={54} />
          ))}
        </Stack>
      }
    >
      <Form {...props} />
    </Suspense>
  )
}
