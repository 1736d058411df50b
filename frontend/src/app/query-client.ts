import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { isApiError, UNREACHABLE } from '@/api/client'
import { keys } from '@/api/keys'

/** Retries only what may pass by itself; a session that ended sends the person to sign in, wherever it is noticed. */
export function makeQueryClient(): QueryClient {
  const signedOut = (error: unknown) => {
    if (isApiError(error) && error.status === 401 && client.getQueryData(keys.me)) client.setQueryData(keys.me, null)
  }
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: signedOut }),
    mutationCache: new MutationCache({ onError: signedOut }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        // When the studio is away, connection.ts asks every query again on its return; retrying here would only delay the message.
        retry: (failures, error) => failures < 2 && isApiError(error) && error.status >= 500 && error.code !== UNREACHABLE,
        retryDelay: (n) => Math.min(4000, 600 * 2 ** n),
        // The browser's own guess about the network is wrong for a studio on this machine.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
  return client
}
