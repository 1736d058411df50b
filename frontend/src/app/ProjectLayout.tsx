import { Button, Container } from '@mantine/core'
import { IconFolderOff } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useParams } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { api, isApiError, unwrap } from '@/api/client'
import { LiveProvider } from '@/api/events'
import { keys } from '@/api/keys'
import { EmptyState } from '@/ui/EmptyState'

const UploadTray = lazy(() => import('@/features/datasets').then((m) => ({ default: m.UploadTray })))

/** A project's pages share one socket. Says so when there is no such project, before any page fails on it. */
export function ProjectLayout() {
  const { project = '' } = useParams({ strict: false })
  const found = useQuery({
    queryKey: [...keys.project(project), 'project'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}', { params: { path: { project } } })),
    staleTime: 60_000,
  })
  if (isApiError(found.error) && found.error.status === 404) {
    return (
      <Container size="sm" py="xl">
        <EmptyState page icon={IconFolderOff} title="There is no such project, or you are not a member of it" actions={<Button renderRoot={(props) => <Link to="/" {...props} />}>Your projects</Button>}>
          Ask one of its owners for an invitation.
        </EmptyState>
      </Container>
    )
  }
  return (
    <LiveProvider project={project} key={project}>
      <Outlet />
      <Suspense>
        <UploadTray project={project} />
      </Suspense>
    </LiveProvider>
  )
}
