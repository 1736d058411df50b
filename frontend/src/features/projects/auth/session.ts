import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter, useSearch } from '@tanstack/react-router'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'

export function useStudio() {
  return useQuery({ queryKey: keys.studio, queryFn: () => unwrap(api.GET('/api/v1/studio')), staleTime: 60_000 })
}

/** Only addresses of this studio: a link could carry any other. */
export function safeNext(next: unknown): string {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : '/'
}

/** After any way of signing in: forget what was known as someone else, and go where the person wanted to be. */
export function useEnter() {
  const client = useQueryClient()
  const router = useRouter()
  const search = useSearch({ strict: false }) as { next?: string }
  return async (me: Schemas['MeOut'], to?: string) => {
    client.clear()
    client.setQueryData(keys.me, me)
    router.history.push(to ?? safeNext(search.next))
  }
}
