/** What waits for the person who asks: the inbox, its page and the count beside the navigation. */
import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from './client'
import { keys } from './keys'

export const approvalsQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.runs(project), 'approvals'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/approvals', { params: { path: { project } } })),
    // Whoever opens the inbox wants to see what waits now; the count beside the navigation may be some seconds old.
    staleTime: 0,
    refetchInterval: 15_000,
  })
