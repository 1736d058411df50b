import { Anchor, Button, Loader, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { api, isApiError, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { meQuery } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { AccountForm } from './AccountForm'
import { AuthFrame } from './AuthFrame'

/** Joining a project: as the person who is signed in, by signing in, or with a new account. */
export function InvitationPage() {
  const { token = '' } = useParams({ strict: false })
  const navigate = useNavigate()
  const client = useQueryClient()
  const me = useQuery(meQuery)
  const preview = useQuery({ queryKey: ['invitation', token], queryFn: () => unwrap(api.GET('/api/v1/invitations/{token}', { params: { path: { token } } })), retry: false })
  const accept = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/invitations/{token}/accept', { params: { path: { token } } })),
    onSuccess: async (data) => {
      const before = new Set(me.data?.memberships.map((m) => m.project))
      client.setQueryData(keys.me, data)
      void client.invalidateQueries({ queryKey: keys.projects })
      const joined = data.memberships.find((m) => !before.has(m.project))
      await (joined ? navigate({ to: '/p/$project', params: { project: joined.project } }) : navigate({ to: '/' }))
    },
  })
  if (preview.isPending || me.isPending) {
    return (
      <AuthFrame title="Invitation">
        <Loader size="sm" aria-label="Loading" />
      </AuthFrame>
    )
  }
  if (preview.error) {
    const gone = isApiError(preview.error) && [404, 410].includes(preview.error.status)
    return (
      <AuthFrame title={gone ? 'This invitation is no longer good' : 'Invitation'} footer={<Anchor renderRoot={(props) => <Link to="/" {...props} />}>Go to the studio</Anchor>}>
        {gone ? <Text size="sm">It was used, taken back, or has expired. Ask the person who invited you for a new one.</Text> : <ErrorNotice error={preview.error} onRetry={() => void preview.refetch()} />}
      </AuthFrame>
    )
  }
  const { email, project, role, invited_by, has_account } = preview.data
  const intro = (
    <>
      {invited_by} invites <b>{email}</b> to the project <b>{project}</b> as {role}.
    </>
  )
  if (me.data) {
    const other = me.data.email.toLowerCase() !== email.toLowerCase()
    return (
      <AuthFrame title={`Join ${project}`} intro={intro}>
        <Stack gap="md">
          <ErrorNotice error={accept.error} />
          {other && <Text size="sm">You are signed in as {me.data.email}. The invitation was sent to another address.</Text>}
          <Button size="md" loading={accept.isPending} onClick={() => accept.mutate()}>
            Join as {me.data.name}
          </Button>
        </Stack>
      </AuthFrame>
    )
  }
  if (has_account) {
    return (
      <AuthFrame title={`Join ${project}`} intro={intro}>
        <Button fullWidth size="md" renderRoot={(props) => <Link to="/sign-in" search={{ next: `/invitations/${token}`, email }} {...props} />}>
          Sign in to join
        </Button>
      </AuthFrame>
    )
  }
  return (
    <AuthFrame title={`Join ${project}`} intro={intro} footer={<>Have an account under another address? <Anchor underline="always" renderRoot={(props) => <Link to="/sign-in" search={{ next: `/invitations/${token}` }} {...props} />}>Sign in</Anchor></>}>
      <AccountForm token={token} email={email} action={`Make an account and join`} />
    </AuthFrame>
  )
}
