/** Similar items of a data set; with one of its label schemas, their labels and what can be done with them. */
import { Select, Skeleton, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { shownSpaces, spacesQuery, type Like } from './data'
import { Near } from './Near'
import { SpaceForm } from './SpaceForm'

export function SimilarPage() {
  const project = useProjectSlug()
  const navigate = useNavigate()
  const { dataset: slug = '' } = useParams({ strict: false })
  const { like, schema: wanted } = useSearch({ strict: false }) as { like?: string; schema?: string }
  const dataset = useQuery({ queryKey: [...keys.datasets(project), slug, 'dataset'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}', { params: { path: { project, dataset: slug } } })) })
  const schemas = useQuery({ queryKey: [...keys.labelSchemas(project), 'of', slug], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas', { params: { path: { project }, query: { dataset: slug } } })) })
  const spaces = useQuery(spacesQuery(project, slug))
  const space = spaces.data && shownSpaces(spaces.data.spaces)[0]
  const schema = wanted === '' ? undefined : (schemas.data?.find((one) => one.slug === wanted) ?? schemas.data?.[0])
  const go = (next: { like?: string; schema?: string }) => void navigate({ to: '.', search: { like, schema: wanted, ...next }, replace: true })
  const look = (to: Like) => go('like' in to ? to : {})
  return (
    <>
      <PageHeader
        title="Similar items"
        crumbs={[
          { label: 'Data sets', to: '/p/$project/datasets', params: { project } },
          { label: dataset.data?.name ?? slug, to: '/p/$project/datasets/$dataset', params: { project, dataset: slug } },
        ]}
        actions={schemas.data && schemas.data.length > 0 && <Select aria-label="Labels of" w={220} allowDeselect={false} data={[...schemas.data.map((one) => ({ value: one.slug, label: one.name })), { value: ' ', label: 'Without labels' }]} value={schema?.slug ?? ' '} onChange={(value) => go({ schema: value?.trim() ?? '' })} />}
      />
      <Stack>
        <ErrorNotice error={spaces.error ?? schemas.error ?? dataset.error} onRetry={() => void Promise.all([spaces.refetch(), schemas.refetch(), dataset.refetch()])} />
        {(spaces.isPending || schemas.isPending) && <Skeleton h={240} />}
        {spaces.data && schemas.data && (space ? <Near key={space.id} dataset={slug} space={space} schema={schema} like={like ? { like } : null} onLike={look} pictures={dataset.data?.modality === 'images'} /> : <SpaceForm dataset={slug} found={spaces.data} />)}
      </Stack>
    </>
  )
}
