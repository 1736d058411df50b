/** What the endpoint pages ask for. */
import { queryOptions } from '@tanstack/react-query'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'

export const endpointsQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.endpoints(project), 'list'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/endpoints', { params: { path: { project } } })),
    // Rates and latencies move without events.
    refetchInterval: 5000,
  })

export const endpointQuery = (project: string, endpoint: string) =>
  queryOptions({
    queryKey: [...keys.endpoints(project), endpoint],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/endpoints/{endpoint}', { params: { path: { project, endpoint } } })),
    refetchInterval: (query) => (query.state.data?.status === 'starting' ? 1000 : 5000),
  })

export const trafficQuery = (project: string, endpoint: string, minutes: number) =>
  queryOptions({
    queryKey: [...keys.endpoints(project), endpoint, 'traffic', minutes],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/endpoints/{endpoint}/traffic', { params: { path: { project, endpoint }, query: { minutes } } })),
    refetchInterval: 5000,
  })

export const liveHistoryQuery = (project: string, endpoint: string) =>
  queryOptions({
    queryKey: [...keys.endpoints(project), endpoint, 'live-history'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/endpoints/{endpoint}/live-history', { params: { path: { project, endpoint }, query: { limit: 50 } } })),
  })

export const predictionsQuery = (project: string, endpoint: string) =>
  queryOptions({
    queryKey: [...keys.endpoints(project), endpoint, 'predictions'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/endpoints/{endpoint}/predictions', { params: { path: { project, endpoint }, query: { limit: 50 } } })),
    refetchInterval: 5000,
  })
