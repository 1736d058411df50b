import { Anchor, Button, PasswordInput, Stack } from '@mantine/core'
import { useForm } from '@mantine/form'
import { Link, useParams } from '@tanstack/react-router'
import { api, unwrap } from '@/api/client'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useSubmit } from '@/ui/useSubmit'
import { longEnough, PASSWORD_LENGTH } from './AccountForm'
import { AuthFrame } from './AuthFrame'
import { useEnter } from './session'

export function ResetPage() {
  const { token = '' } = useParams({ strict: false })
  const enter = useEnter()
  const form = useForm({ mode: 'uncontrolled', initialValues: { password: '' }, validate: { password: longEnough } })
  const { submit, busy, error } = useSubmit(form, async ({ password }: { password: string }) => enter(await unwrap(api.POST('/api/v1/password/reset', { body: { token, password } })), '/'))
  return (
    <AuthFrame title="Set a new password" footer={<Anchor renderRoot={(props) => <Link to="/forgotten" {...props} />}>Send a new link</Anchor>}>
      <form onSubmit={form.onSubmit(submit)} noValidate>
        <Stack gap="md">
          <ErrorNotice error={error} />
          <PasswordInput
            key={form.key('password')}
            label="New password"
            description={`At least ${PASSWORD_LENGTH} characters. A sentence is good.`}
            autoComplete="new-password"
            autoFocus
            {...form.getInputProps('password')}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          />
          <Button type="submit" size="md" loading={busy}>
            Set it and sign in
          </Button>
        </Stack>
      </form>
    </AuthFrame>
  )
}
