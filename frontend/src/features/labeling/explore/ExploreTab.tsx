/** What lies near what: the map, similar items, probable label errors, duplicates, and the embeddings that all this stands on. */
import { Group, SegmentedControl, Select, Skeleton, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import type { LabelSchema } from '../data'
import { shownSpaces, spacesQuery, type Like } from './data'
import { Doubts } from './Doubts'
import { Duplicates } from './Duplicates'
import { MapView } from './MapView'
import { Near } from './Near'
import { SpaceForm } from './SpaceForm'

const VIEWS = [
  { value: 'map', label: 'Map' },
  { value: 'similar', label: 'Similar' },
  { value: 'errors', label: 'Label errors' },
  { value: 'duplicates', label: 'Duplicates' },
  { value: 'embeddings', label: 'Embeddings' },
]

export function ExploreTab({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const navigate = useNavigate()
  const search = useSearch({ strict: false }) as { view?: string; like?: string; item?: number; space?: string }
  const query = useQuery(spacesQuery(project, schema.dataset))
  if (query.isPending) return <Skeleton h={240} />
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  const spaces = shownSpaces(query.data.spaces)
  const space = spaces.find((one) => one.id === search.space) ?? spaces[0]
  if (!space) return <SpaceForm dataset={schema.dataset} found={query.data} />
  const view = search.view ?? 'map'
  const go = (next: { view?: string; like?: string; item?: number; space?: string }) => void navigate({ to: '.', search: { tab: 'explore', view, space: search.space, like: search.like, item: search.item, ...next }, replace: true })
  const look = (like: Like) => go({ view: 'similar', like: undefined, item: undefined, ...like })
  const like: Like | null = search.like ? { like: search.like } : search.item ? { item: search.item } : null
  return (
    <Stack gap="md">
      <Group gap="sm" justify="space-between">
        <SegmentedControl visibleFrom="sm" aria-label="What is shown" value={view} onChange={(value) => go({ view: value })} data={VIEWS} />
        <Select hiddenFrom="sm" aria-label="What is shown" w="100%" allowDeselect={false} value={view} onChange={(value) => value && go({ view: value })} data={VIEWS} />
        {spaces.length > 1 && <Select aria-label="Embeddings" w={260} allowDeselect={false} data={spaces.map((one) => ({ value: one.id, label: one.title }))} value={space.id} onChange={(value) => value && go({ space: value })} />}
      </Group>
      {view === 'map' && <MapView key={space.id} space={space} schema={schema} onLike={look} />}
      {view === 'similar' && <Near key={space.id} dataset={schema.dataset} space={space} schema={schema} like={like} onLike={look} pictures={schema.modality === 'images'} />}
      {view === 'errors' && <Doubts schema={schema} space={space} />}
      {view === 'duplicates' && <Duplicates schema={schema} space={space} />}
      {view === 'embeddings' && <SpaceForm dataset={schema.dataset} found={query.data} />}
    </Stack>
  )
}
