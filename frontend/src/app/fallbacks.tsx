/** What is shown in place of a page: while it loads, when it broke, when there is none. */
import { Anchor, Button, Container, Group, Skeleton, Stack, Text } from '@mantine/core'
import { IconAlertTriangle, IconArrowLeft, IconHome, IconMapPinOff, IconRefresh } from '@tabler/icons-react'
import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { EmptyState } from '@/ui/EmptyState'
import { Logo } from '@/ui/Logo'
import { useTitle } from '@/ui/PageHeader'

export function PageLoading() {
  return (
    <Stack gap="lg" role="status" aria-busy="true" aria-label="Loading">
      <Stack gap={8}>
        <Skeleton h={28} w={240} />
        <Skeleton h={16} w={380} maw="80%" />
      </Stack>
      <Skeleton h={220} radius="md" />
    </Stack>
  )
}

/** An old tab after an upgrade asks for files that are gone; only a reload helps, and it should say so. */
export function isStaleBundle(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|Importing a module script failed|error loading dynamically/i.test(error.message)
}

export function RouteError({ error, reset }: ErrorComponentProps) {
  useTitle('Something broke')
  const stale = isStaleBundle(error)
  return (
    <Container size="sm" py="xl" role="alert">
      <EmptyState
        page
        icon={IconAlertTriangle}
        title={stale ? 'This page could not be loaded' : 'This page broke'}
        actions={
          <>
            <Button leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => window.location.reload()}>
              Reload
            </Button>
            {!stale && (
              <Button variant="default" onClick={reset}>
                Try again without reloading
              </Button>
            )}
          </>
        }
      >
        {stale ? 'The studio was upgraded or is restarting. Reload to get its current pages.' : error instanceof Error && error.message ? error.message : 'An unexpected error.'}
      </EmptyState>
    </Container>
  )
}

/** Outside the shell there is no other `main`. */
export function NotFoundAnywhere() {
  return (
    <main>
      <Anchor underline="never" c="var(--mantine-color-text)" renderRoot={(props) => <Link to="/" {...props} />}>
        <Group gap="sm" p="md">
          <Logo />
          <Text fw={680}>Headrace</Text>
        </Group>
      </Anchor>
      <NotFoundPage />
    </main>
  )
}

export function NotFoundPage() {
  useTitle('Not found')
  return (
    <Container size="sm" py="xl">
      <EmptyState
        page
        icon={IconMapPinOff}
        title="There is no such page"
        actions={
          <Group gap="xs">
            <Button leftSection={<IconHome size={16} aria-hidden />} renderRoot={(props) => <Link to="/" {...props} />}>
              Your projects
            </Button>
            <Button variant="default" leftSection={<IconArrowLeft size={16} aria-hidden />} onClick={() => window.history.back()}>
              Go back
            </Button>
          </Group>
        }
      >
        The address may be mistyped, or what was here has been deleted or renamed.
      </EmptyState>
    </Container>
  )
}
