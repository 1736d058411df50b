/** Our checker in the shape rjsf asks for. */
import { createErrorHandler, toErrorSchema, unwrapErrorHandler, validationDataMerge, type RJSFSchema, type RJSFValidationError, type ValidatorType } from '@rjsf/utils'
import { check, type JsonSchema } from './schema'

export const validator: ValidatorType = {
  validateFormData(formData, schema, customValidate, transformErrors, uiSchema) {
    let errors: RJSFValidationError[] = check(schema as JsonSchema, formData ?? {}).map(({ path, message }) => ({
      name: 'invalid',
      property: path.length ? `.${path.join('.')}` : '',
      message,
      stack: `${path.join('.')} ${message}`,
    }))
    if (transformErrors) errors = transformErrors(errors, uiSchema)
    const data = { errors, errorSchema: toErrorSchema(errors) }
    if (!customValidate) return data
    const handler = customValidate(formData, createErrorHandler(formData), uiSchema)
    return validationDataMerge(data, unwrapErrorHandler(handler))
  },
  isValid(schema, formData, rootSchema) {
    try {
      return check({ ...(schema as JsonSchema), $defs: (rootSchema as JsonSchema).$defs }, formData).length === 0
    } catch {
      return false
    }
  },
  rawValidation<Result>(schema: RJSFSchema, formData?: unknown) {
    return { errors: check(schema as JsonSchema, formData) as Result[] }
  },
}
