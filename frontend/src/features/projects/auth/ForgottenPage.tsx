import { Anchor, Button, Stack, Text, TextInput } from '@mantine/core'
import { isEmail, useForm } from '@mantine/form'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useSubmit } from '@/ui/useSubmit'
import { AuthFrame } from './AuthFrame'

export function ForgottenPage() {
  const [sent, setSent] = useState<string | null>(null)
  const form = useForm({ mode: 'uncontrolled', initialValues: { email: '' }, validate: { email: isEmail('Your e-mail address, like name@example.org') } })
  const { submit, busy, error } = useSubmit(form, async (values: { email: string }) => {
    await unwrap(api.POST('/api/v1/password/forgotten', { body: values }))
    setSent(values.email)
  })
  const back = <Anchor renderRoot={(props) => <Link to="/sign-in" {...props} />}>Back to sign in</Anchor>
  if (sent) {
    return (
      <AuthFrame title="Look in your mail" footer={back}>
        <Text size="sm" role="status">
          If {sent} has an account here, a link to set a new password is on its way. It works once. Where the studio sends no mail, the link stands in its log: ask whoever runs it.
        </Text>
      </AuthFrame>
    )
  }
  return (
    <AuthFrame title="Forgotten your password?" intro="We send a link to set a new one." footer={back}>
      <form onSubmit={form.onSubmit(submit)} noValidate>
        <Stack gap="md">
          <ErrorNotice error={error} />
          <TextInput key={form.key('email')} label="E-mail" type="email" autoComplete="username" autoFocus {...form.getInputProps('email')} />
          <Button type="submit" size="md" loading={busy}>
            Send the link
          </Button>
        </Stack>
      </form>
    </AuthFrame>
  )
}
