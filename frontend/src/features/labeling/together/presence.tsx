/** Who has which item open now, as faces. */
import { Avatar, Tooltip } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'

import { api, unwrap, type Schemas } from '@/api/client'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { useMe } from '@/api/me'
import { colorOf } from '@/lib/people'

import type { LabelSchema } from '../data'

export type Present = Schemas['PresenceOut']

const AGAIN_MS = 4000
const TOGETHER_MS = 300

/** Everybody but oneself. Asked when somebody came or left, and now and then: a line that was cut says nothing. */
export function usePresence(project: string, schema: LabelSchema | undefined): readonly Present[] {
  const client = useQueryClient()
  const me = useMe()
  const soon = useRef<ReturnType<typeof setTimeout>>(undefined)
  const queryKey = [...keys.labelSchemas(project), schema?.slug, 'presence']
  const query = useQuery({
    queryKey,
    enabled: schema !== undefined,
    refetchInterval: AGAIN_MS,
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/presence', { params: { path: { project, label_schema: schema?.slug ?? '' } } })),
  })
  useLive(schema ? `label_schema:${schema.id}` : null, () => {
    soon.current ??= setTimeout(() => {
      soon.current = undefined
      void client.invalidateQueries({ queryKey })
    }, TOGETHER_MS)
  })
  return query.data?.filter((one) => one.user.id !== me?.id) ?? []
}

export function Faces({ people, size = 26 }: { people: readonly { id: string; name: string; words: string }[]; size?: number }) {
  const each = people.filter((one, index) => people.findIndex((other) => other.id === one.id) === index)
  if (each.length === 0) return null
  return (
    <Avatar.Group spacing={6} data-present={each.map((one) => one.name).join(', ')}>
      {each.slice(0, 5).map((one) => (
        <Tooltip key={one.id} label={`${one.name} ${one.words}`}>
          <Avatar size={size} radius="xl" name={one.name} role="img" aria-label={`${one.name} ${one.words}`} styles={{ root: { border: `2px solid ${colorOf(one.id)}` } }} />
        </Tooltip>
      ))}
      {each.length > 5 && (
        <Avatar size={size} radius="xl">
          +{each.length - 5}
        </Avatar>
      )}
    </Avatar.Group>
  )
}

const WORDS = { labelling: 'is labelling this', reviewing: 'is reviewing this', looking: 'is looking at this' }

export const facesOf = (present: readonly Present[]) => present.map(({ user, doing }) => ({ id: user.id, name: user.name || user.email, words: WORDS[doing] }))
