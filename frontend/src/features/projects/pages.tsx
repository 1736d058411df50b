import { PageHeader } from '@/ui/PageHeader'

export function SignInPage() {
  return <PageHeader title="Sign In" />
}

export function SignUpPage() {
  return <PageHeader title="Sign Up" />
}

export function ForgottenPage() {
  return <PageHeader title="Forgotten" />
}

export function ResetPage() {
  return <PageHeader title="Reset" />
}

export function InvitationPage() {
  return <PageHeader title="Invitation" />
}

export function ProjectsPage() {
  return <PageHeader title="Projects" />
}

export function PersonalSettingsPage() {
  return <PageHeader title="Personal Settings" />
}

export function OverviewPage() {
  return <PageHeader title="Overview" />
}

export function ProjectSettingsPage() {
  return <PageHeader title="Project Settings" />
}
