import { Button, PasswordInput, Stack, TextInput } from '@mantine/core'
import { isEmail, isNotEmpty, useForm } from '@mantine/form'
import { api, unwrap } from '@/api/client'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useSubmit } from '@/ui/useSubmit'
import { useEnter } from './session'

export const PASSWORD_LENGTH = 10
export const longEnough = (value: string) => (value.length >= PASSWORD_LENGTH ? null : `At least ${PASSWORD_LENGTH} characters`)

/** A new account: the studio's first, or the one that an invitation is for. */
export function AccountForm({ token = '', email = '', action, to }: { token?: string; email?: string; action: string; to?: string }) {
  const enter = useEnter()
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { name: '', email, password: '' },
    validate: { name: isNotEmpty('Your name, as others will see it'), email: isEmail('An e-mail address, like name@example.org'), password: longEnough },
  })
  const { submit, busy, error } = useSubmit(form, async (values: { name: string; email: string; password: string }) => enter(await unwrap(api.POST('/api/v1/accounts', { body: { ...values, token } })), to))
  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack gap="md">
        <ErrorNotice error={error} />
        <TextInput key={form.key('name')} label="Name" autoComplete="name" autoFocus {...form.getInputProps('name')} />
        <TextInput key={form.key('email')} label="E-mail" type="email" autoComplete="username" readOnly={Boolean(email)} {...form.getInputProps('email')} />
        <PasswordInput
          key={form.key('password')}
          label="Password"
          description={`At least ${PASSWORD_LENGTH} characters. A sentence is good.`}
          autoComplete="new-password"
          {...form.getInputProps('password')}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
        />
        <Button type="submit" size="md" loading={busy}>
          {action}
        </Button>
      </Stack>
    </form>
  )
}
