/** How many steps wait for the person who looks, beside the navigation. */
import { Badge } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { approvalsQuery } from '@/api/approvals'
import { useCan } from '@/api/me'

export function useApprovals(project: string | undefined): number {
  const can = useCan(project)
  return useQuery({ ...approvalsQuery(project ?? ''), enabled: project !== undefined && can('run.read') }).data?.length ?? 0
}

export function ApprovalCount({ count }: { count: number }) {
  if (count === 0) return null
  return (
    <Badge size="sm" circle={count < 10} color="yellow" variant="filled" autoContrast data-approvals={count}>
      {count}
    </Badge>
  )
}
