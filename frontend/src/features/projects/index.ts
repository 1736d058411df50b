export { SignInPage, SignUpPage, ForgottenPage, ResetPage, InvitationPage, ProjectsPage, PersonalSettingsPage, OverviewPage, ProjectSettingsPage } from './pages'
