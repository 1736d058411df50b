import { Anchor, Loader, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { AccountForm } from './AccountForm'
import { AuthFrame } from './AuthFrame'
import { useStudio } from './session'

export function SignUpPage() {
  const studio = useStudio()
  const signIn = <Anchor underline="always" renderRoot={(props) => <Link to="/sign-in" {...props} />}>Sign in</Anchor>
  if (studio.isPending) {
    return (
      <AuthFrame title="Make an account">
        <Loader size="sm" aria-label="Loading" />
      </AuthFrame>
    )
  }
  if (studio.error) {
    return (
      <AuthFrame title="Make an account">
        <ErrorNotice error={studio.error} onRetry={() => void studio.refetch()} />
      </AuthFrame>
    )
  }
  if (!studio.data.first_account) {
    return (
      <AuthFrame title="An invitation is needed" footer={<>Have an account already? {signIn}</>}>
        <Text size="sm">Accounts of this studio are made from invitations. Ask an owner of the project you want to join; the link they send opens the right page.</Text>
      </AuthFrame>
    )
  }
  return (
    <AuthFrame title="Welcome" intro="This studio has no accounts yet. The one you make now is its first; you then invite the others.">
      <AccountForm action="Make the first account" />
    </AuthFrame>
  )
}
