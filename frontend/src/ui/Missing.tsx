import { Button } from '@mantine/core'
import type { Icon } from '@tabler/icons-react'
import { Link, type LinkProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { isApiError } from '@/api/client'
import { EmptyState } from './EmptyState'
import { ErrorNotice } from './ErrorNotice'
import { PageHeader, type Crumb } from './PageHeader'

/** Instead of a page whose thing cannot be had: where there is none, the way to the list; else the error and another try. */
export function Missing({
  error,
  onRetry,
  what,
  icon,
  crumb,
  children,
}: {
  error: unknown
  onRetry: () => void
  /** As in “There is no such model”. */
  what: string
  icon: Icon
  crumb: Crumb & { to: LinkProps['to'] }
  children: ReactNode
}) {
  // An address with something else than an id in it (422) names nothing either.
  if (isApiError(error) && [404, 422].includes(error.status)) {
    return (
      <EmptyState page icon={icon} title={`There is no such ${what}`} actions={<Button renderRoot={(props) => <Link to={crumb.to} params={crumb.params as never} {...props} />}>All {crumb.label.toLowerCase()}</Button>}>
        {children}
      </EmptyState>
    )
  }
  return (
    <>
      <PageHeader title={what.charAt(0).toUpperCase() + what.slice(1)} crumbs={[crumb]} />
      <ErrorNotice error={error} onRetry={onRetry} />
    </>
  )
}
