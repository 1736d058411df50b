/** What the pages about likeness ask of the studio. */
import { queryOptions } from '@tanstack/react-query'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import type { LabelConfig } from '../editor'

export type Space = Schemas['SpaceOut']
export type SpaceItem = Schemas['SpaceItemOut']
export type Points = Schemas['PointsOut']
export type Doubt = Schemas['DoubtOut']
export type Colouring = 'cluster' | 'label' | 'annotator' | 'suggested'
export type NearState = 'labelled' | 'unlabelled' | 'mine'
/** What is looked for: things like a content or an item of the queue, or words. */
export type Like = { like: string } | { item: number }
export type Sought = Like | { text: string }

const going = (status: string | undefined) => status === 'queued' || status === 'running'
const inSpace = (project: string, dataset: string, space: string) => ({ project, dataset, space })

export const spacesQuery = (project: string, dataset: string) =>
  queryOptions({
    queryKey: [...keys.datasets(project), dataset, 'spaces'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/spaces', { params: { path: { project, dataset } } })),
    refetchInterval: (query) => (query.state.data?.spaces.some((one) => going(one.status)) ? 1_000 : false),
  })

export const nearQuery = (project: string, space: { dataset: string; id: string; version: number }, sought: Sought | null, label_schema: string | undefined, state?: NearState, label?: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema ?? '', 'near', space.id, space.version, sought, state ?? '', label ?? ''],
    queryFn: () =>
      unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/spaces/{space}/near', { params: { path: inSpace(project, space.dataset, space.id), query: { ...sought, label_schema, state: label_schema ? state : undefined, label: label_schema ? label : undefined, limit: 60 } } })),
    enabled: sought !== null,
    retry: false,
  })

export const pointsQuery = (project: string, space: { dataset: string; id: string; version: number }, label_schema: string, by: Colouring) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'points', space.id, space.version, by],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/spaces/{space}/points', { params: { path: inSpace(project, space.dataset, space.id), query: { label_schema, by } } })),
  })

export const clustersQuery = (project: string, space: { dataset: string; id: string; version: number }, label_schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'clusters', space.id, space.version],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/spaces/{space}/clusters', { params: { path: inSpace(project, space.dataset, space.id), query: { label_schema } } })),
  })

export const chosenQuery = (project: string, space: { dataset: string; id: string; version: number }, label_schema: string, chosen: { ids: number[]; cluster?: number } | null) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'chosen', space.id, space.version, chosen],
    queryFn: () => unwrap(api.POST('/api/v1/projects/{project}/datasets/{dataset}/spaces/{space}/items', { params: { path: inSpace(project, space.dataset, space.id), query: { label_schema } }, body: chosen! })),
    enabled: chosen !== null,
  })

export const duplicatesQuery = (project: string, label_schema: string, space: string, distance: number) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'duplicates', space, distance],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/duplicates', { params: { path: { project, label_schema }, query: { space, distance } } })),
  })

export const doubtsQuery = (project: string, label_schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'doubts'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/doubts', { params: { path: { project, label_schema } } })),
    refetchInterval: (query) => (going(query.state.data?.check?.status) ? 1_000 : false),
  })

export const doubtListQuery = (project: string, label_schema: string, checked: string | null | undefined) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'doubts', 'list', checked ?? ''],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/doubts/list', { params: { path: { project, label_schema }, query: { limit: 50 } } })),
  })

export const orderQuery = (project: string, label_schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'order'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/order', { params: { path: { project, label_schema } } })),
    refetchInterval: (query) => (going(query.state.data?.status ?? undefined) ? 1_000 : false),
  })

/** The spaces that can be looked at, the one computed last first. */
export const shownSpaces = (spaces: Space[]) => spaces.filter((one) => one.version > 0)

/** The question whose answer a bulk gives: the first with one choice for the whole item. */
export const questionOf = (config: LabelConfig) => config.controls.find((one) => one.tag === 'Choices' && !one.multiple && !one.per_region)

export const pictureOf = (project: string, dataset: string, space: string, digest: string) => `/api/v1/projects/${project}/datasets/${dataset}/spaces/${space}/pictures/${digest}?thumbnail=true`
