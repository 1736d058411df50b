import { Anchor, Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { isEmail, isNotEmpty, useForm } from '@mantine/form'
import { Link, Navigate, useSearch } from '@tanstack/react-router'
import { api, unwrap } from '@/api/client'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useSubmit } from '@/ui/useSubmit'
import { AuthFrame } from './AuthFrame'
import { useEnter, useStudio } from './session'

export function SignInPage() {
  const studio = useStudio()
  const enter = useEnter()
  const { email } = useSearch({ strict: false }) as { email?: string }
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { email: email ?? '', password: '' },
    validate: { email: isEmail('Your e-mail address, like name@example.org'), password: isNotEmpty('Your password') },
  })
  const { submit, busy, error } = useSubmit(form, async (values: { email: string; password: string }) => enter(await unwrap(api.POST('/api/v1/session', { body: values }))))
  if (studio.data?.first_account) return <Navigate to="/sign-up" replace />
  return (
    <AuthFrame title="Sign in" footer="No account? Ask an owner of your project for an invitation.">
      <form onSubmit={form.onSubmit(submit)} noValidate>
        <Stack gap="md">
          <ErrorNotice error={error ?? studio.error} />
          <TextInput key={form.key('email')} label="E-mail" type="email" autoComplete="username" autoFocus={!email} {...form.getInputProps('email')} />
          <PasswordInput key={form.key('password')} label="Password" autoComplete="current-password" autoFocus={Boolean(email)} {...form.getInputProps('password')} visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }} />
          <Button type="submit" size="md" loading={busy}>
            Sign in
          </Button>
          <Anchor size="sm" ta="center" renderRoot={(props) => <Link to="/forgotten" {...props} />}>
            Forgotten your password?
          </Anchor>
        </Stack>
      </form>
    </AuthFrame>
  )
}
