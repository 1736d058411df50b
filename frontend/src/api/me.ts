/** Who is signed in, in which project we are, and what they may do there. */
import { queryOptions, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { api, isApiError, unwrap, type Schemas } from './client'
import { keys } from './keys'

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: async (): Promise<Schemas['MeOut'] | null> => {
    try {
      return await unwrap(api.GET('/api/v1/me'))
    } catch (error) {
      if (isApiError(error) && error.status === 401) return null
      throw error
    }
  },
  staleTime: 5 * 60_000,
})

/** The signed-in person; null while nobody is, or while it is not known yet. */
export function useMe(): Schemas['MeOut'] | null {
  return useQuery(meQuery).data ?? null
}

/** The slug of the project in the address. Only for pages below /p/$project. */
export function useProjectSlug(): string {
  const { project } = useParams({ strict: false })
  return project ?? ''
}

/** `const can = useCan(); can('dataset.write')`: hide or disable what the server would refuse anyway. */
export function useCan(project?: string): (action: string) => boolean {
  const me = useMe()
  const current = useProjectSlug()
  const actions = me?.permissions[project ?? current]
  return (action) => actions?.includes(action) ?? false
}
