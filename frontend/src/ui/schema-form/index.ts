export { SchemaForm, type SchemaFormProps } from './SchemaForm'
export type { ColumnChoice, DatasetChoice, NameChoice, ReferenceChoices, SchemaFormContext } from './context'
export { check, type Invalid, type JsonSchema } from './schema'
