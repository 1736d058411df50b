import { Outlet, useParams } from '@tanstack/react-router'
import { LiveProvider } from '@/api/events'

/** A project's pages share one socket. */
export function ProjectLayout() {
  const { project } = useParams({ strict: false })
  return (
    <LiveProvider project={project ?? ''}>
      <Outlet />
    </LiveProvider>
  )
}
