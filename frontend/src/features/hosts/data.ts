/** What the Workers page asks for and sends. Hosts are the studio's, not a project's: they are asked for again every few seconds while somebody looks, and at once when one changes. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'

export type Host = Schemas['HostOut']
export type Wanted = Host['wanted']
export type JoinToken = Schemas['JoinTokenOut']

export const hostsQuery = queryOptions({
  queryKey: keys.hosts,
  queryFn: () => unwrap(api.GET('/api/v1/hosts')),
  refetchInterval: 3000,
})

export const joinTokensQuery = queryOptions({
  queryKey: keys.joinTokens,
  queryFn: () => unwrap(api.GET('/api/v1/join-tokens')),
})

/** Say what a host is to do; its row changes at once and is put right by the answer. */
export function useWant() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, wanted }: { id: string; wanted: Wanted }) => unwrap(api.PATCH('/api/v1/hosts/{host_id}', { params: { path: { host_id: id } }, body: { wanted } })),
    onSuccess: (host) => client.setQueryData(hostsQuery.queryKey, (all) => all?.map((one) => (one.id === host.id ? host : one))),
  })
}

export function useRemove() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/hosts/{host_id}', { params: { path: { host_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.hosts }),
  })
}

export function useRevoke() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/join-tokens/{token_id}', { params: { path: { token_id: id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.joinTokens }),
  })
}

export function useMakeToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Schemas['JoinTokenIn']) => unwrap(api.POST('/api/v1/join-tokens', { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.joinTokens }),
  })
}

/** The command that makes another machine work for this studio. */
export function joinCommand(studio: string, secret: string, labels = ''): string {
  const marks = labels
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((label) => ` --label ${label}`)
    .join('')
  return `headrace worker join ${studio} --token ${secret}${marks}`
}

/** What a host does, in a sentence. */
export function stateWords(host: Host): string {
  const busy = host.processes.filter((one) => one.step).length
  switch (host.state) {
    case 'running':
      return busy === 0 ? 'Takes steps; none runs' : `${busy} of ${host.processes.length} processes busy`
    case 'starting':
      return 'Its processes are starting'
    case 'paused':
      return busy === 0 ? 'Takes no steps' : `Takes no steps; ${busy} still run${busy === 1 ? 's' : ''}`
    case 'draining':
      return `Takes no more steps; ${busy} still run${busy === 1 ? 's' : ''}`
    case 'drained':
      return 'Takes no steps, and none runs'
    case 'stopping':
      return busy === 0 ? 'Its processes are ending' : `Its processes end after ${busy === 1 ? 'the step' : `the ${busy} steps`} they run`
    case 'stopped':
      return 'Its processes have ended'
    default:
      return 'Not heard of; steps it ran are given to others'
  }
}
