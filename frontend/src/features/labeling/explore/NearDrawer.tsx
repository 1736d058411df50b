/** Similar items beside an item that somebody has open, without leaving it. */
import { Drawer, Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import type { LabelSchema } from '../data'
import { shownSpaces, spacesQuery, type Like } from './data'
import { Near } from './Near'
import { SpaceForm } from './SpaceForm'

export function NearDrawer({ schema, item, opened, onClose }: { schema: LabelSchema; item: number; opened: boolean; onClose: () => void }) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="xl" title="Similar items">
      {opened && <Found key={item} schema={schema} item={item} />}
    </Drawer>
  )
}

function Found({ schema, item }: { schema: LabelSchema; item: number }) {
  const project = useProjectSlug()
  const [like, setLike] = useState<Like>({ item })
  const query = useQuery(spacesQuery(project, schema.dataset))
  const space = query.data && shownSpaces(query.data.spaces)[0]
  if (query.isPending) return <Skeleton h={240} />
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!space) return <SpaceForm dataset={schema.dataset} found={query.data} />
  return <Near dataset={schema.dataset} space={space} schema={schema} like={like} onLike={setLike} pictures={schema.modality === 'images'} />
}
