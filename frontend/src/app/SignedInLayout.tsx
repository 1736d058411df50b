import { useQuery } from '@tanstack/react-query'
import { Navigate, Outlet, useLocation } from '@tanstack/react-router'
import { meQuery } from '@/api/me'
import { Shell } from './shell/Shell'

/** Everything behind the sign-in. When the session ends under a page, the person is asked to sign in and comes back to it. */
export function SignedInLayout() {
  const me = useQuery(meQuery)
  const location = useLocation()
  if (me.data === null) return <Navigate to="/sign-in" search={location.href === '/' ? {} : { next: location.href }} replace />
  return (
    <Shell>
      <Outlet />
    </Shell>
  )
}
