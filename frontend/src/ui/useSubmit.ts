/** Sending a form: busy while it goes, messages at their fields, the rest as one notice. */
import { useState } from 'react'
import { isApiError } from '@/api/client'

type FormLike = { setErrors: (errors: Record<string, string>) => void; getValues: () => object }

/** `submit` is for `form.onSubmit(submit)`. `error` holds what belongs to no field of the form. */
export function useSubmit<Values>(form: FormLike, send: (values: Values) => Promise<unknown>) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const submit = async (values: Values) => {
    setBusy(true)
    setError(null)
    try {
      await send(values)
    } catch (failure) {
      const fields = isApiError(failure) ? failure.fields : {}
      const known = Object.keys(form.getValues())
      const here = Object.fromEntries(Object.entries(fields).filter(([name]) => known.includes(name)))
      form.setErrors(here)
      if (Object.keys(here).length === 0) setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return { submit: (values: Values) => void submit(values), busy, error, clear: () => setError(null) }
}
