/** What the labelling pages ask of the studio. */
import { queryOptions, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import type { LabelConfig, Result } from './editor'

export type LabelSchema = Schemas['LabelSchemaOut']
export type Work = Schemas['WorkOut']
export type Annotation = Schemas['AnnotationOut']
export type ListedItem = Schemas['ListedItemOut']

/** The same thing under two names: the editor knows nothing of the API. */
export const configOf = (config: Schemas['LabelConfigOut']): LabelConfig => config as unknown as LabelConfig
export const resultOf = (result: { [key: string]: unknown }[]): Result => result as unknown as Result
export const regionsOf = (result: Result): { [key: string]: unknown }[] => result as unknown as { [key: string]: unknown }[]

const path = (project: string, label_schema: string) => ({ params: { path: { project, label_schema } } })

export const schemasQuery = (project: string, search = '', deleted = false) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), 'list', search, deleted],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas', { params: { path: { project }, query: { search: search || undefined, deleted } } })),
  })

export const schemaQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}', path(project, schema))),
    refetchInterval: (query) => (query.state.data && ['queued', 'running'].includes(query.state.data.fill_status) ? 1_000 : false),
  })

export const wordingsQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'versions'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/versions', path(project, schema))),
  })

export const peopleQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'people'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/people', path(project, schema))),
  })

export const qualityQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'quality'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/quality', path(project, schema))),
    refetchInterval: (query) => (query.state.data && ['queued', 'running'].includes(query.state.data.status) ? 1_000 : false),
  })

export const qualitySettingsQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'quality', 'settings'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/quality/settings', path(project, schema))),
  })

export const assignmentsQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'assignments'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/assignments', path(project, schema))),
  })

export const labelledQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'labelled'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/labelled', path(project, schema))),
    refetchInterval: (query) => (query.state.data?.some((v) => v.status === 'queued' || v.status === 'running') ? 1_000 : false),
  })

export const linkQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'link'],
    queryFn: async () => (await unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/link', path(project, schema)))).link,
    refetchInterval: (query) => (query.state.data && ['queued', 'running'].includes(query.state.data.status) ? 1_000 : false),
  })

/** Endpoints that answer now: whose models can suggest. */
export const answeringQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.endpoints(project), 'list'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/endpoints', { params: { path: { project } } })),
    select: (all) => all.filter((one) => one.status === 'live'),
  })

export const prelabellingQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'suggestions'],
    queryFn: async () => (await unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/suggestions', path(project, schema)))).prelabelling,
    refetchInterval: (query) => (query.state.data && ['queued', 'running'].includes(query.state.data.status) ? 1_000 : false),
  })

/** Which model is asked when somebody opens an item; null where none is. */
export const onOpeningQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'suggestions', 'on-opening'],
    queryFn: async () => (await unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/suggestions/on-opening', path(project, schema)))).on_opening,
  })

export const labelFormatsQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'formats'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/formats', path(project, schema))),
  })

/** How much an export would hold, and what its format has no place for. */
export const exportCheckQuery = (project: string, label_schema: string, format: string, what: 'annotations' | 'truth') =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'export', format, what],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/export/check', { params: { path: { project, label_schema }, query: { format, what } } })),
  })

export const itemQuery = (project: string, label_schema: string, item: number) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'item', item],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}', { params: { path: { project, label_schema, item } } })),
  })

export const annotationsQuery = (project: string, label_schema: string, item: number) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), label_schema, 'item', item, 'annotations'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/annotations', { params: { path: { project, label_schema, item } } })),
  })

/** Asks anew when somebody changed a schema or its queue. */
export function useLabelingLive(project: string): void {
  const client = useQueryClient()
  useLive('project', (event) => {
    if (event.type === 'label_schema_changed') void client.invalidateQueries({ queryKey: keys.labelSchemas(project) })
  })
}

/** Everything of the labelling pages is asked anew. */
export function useRefresh(project: string): () => Promise<void> {
  const client = useQueryClient()
  return useCallback(() => client.invalidateQueries({ queryKey: keys.labelSchemas(project) }), [client, project])
}
