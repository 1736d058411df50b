/** What the pipeline pages ask the studio, one function a question. */
import { queryOptions } from '@tanstack/react-query'

import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'

import { readCatalog } from './graph/catalog'
import { normalise, toApi, type Graph } from './graph/types'

const BASE = '/api/v1/projects/{project}' as const
const MINUTES = 60_000

/** With a pipeline: also the older versions of pipelines that its draft uses as steps. */
export const catalogQuery = (project: string, pipeline?: string) =>
  queryOptions({
    // A key of its own: the run pages keep the plain answer.
    queryKey: [...keys.catalog(project), 'read', pipeline ?? ''],
    queryFn: async () => readCatalog(await unwrap(api.GET(`${BASE}/catalog`, { params: { path: { project }, query: pipeline ? { pipeline } : {} } }))),
    staleTime: 5 * MINUTES,
  })

export const templatesQuery = (project: string) =>
  queryOptions({
    queryKey: keys.templates(project),
    queryFn: async () => (await unwrap(api.GET(`${BASE}/templates`, { params: { path: { project } } }))).map((template) => ({ ...template, graph: normalise(template.graph) })),
    staleTime: 5 * MINUTES,
  })

export const pipelineQuery = (project: string, pipeline: string) =>
  queryOptions({
    queryKey: [...keys.pipelines(project), 'one', pipeline],
    queryFn: () => unwrap(api.GET(`${BASE}/pipelines/{pipeline}`, { params: { path: { project, pipeline } } })),
  })

export const versionsQuery = (project: string, pipeline: string) =>
  queryOptions({
    queryKey: [...keys.pipelines(project), 'versions', pipeline],
    queryFn: () => unwrap(api.GET(`${BASE}/pipelines/{pipeline}/versions`, { params: { path: { project, pipeline } } })),
  })

/** One version with its graph: of a large pipeline megabytes, so only of the one that is looked at. It never changes. */
export const versionQuery = (project: string, pipeline: string, number: number | undefined) =>
  queryOptions({
    queryKey: [...keys.project(project), 'pipeline-version', pipeline, number ?? 0],
    queryFn: async () => {
      const version = await unwrap(api.GET(`${BASE}/pipelines/{pipeline}/versions/{number}`, { params: { path: { project, pipeline, number: number ?? 0 } } }))
      return { ...version, graph: normalise(version.graph) }
    },
    enabled: number !== undefined,
    staleTime: Infinity,
  })

export const datasetsQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.datasets(project), 'choices'],
    queryFn: async () => {
      const page = await unwrap(api.GET(`${BASE}/datasets`, { params: { path: { project }, query: { limit: 100 } } }))
      return page.items.map((item) => ({ slug: item.slug, name: item.name, modality: item.modality, latest: item.latest_version }))
    },
  })

export const modelsQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.models(project), 'choices'],
    queryFn: async () => (await unwrap(api.GET(`${BASE}/models`, { params: { path: { project } } }))).map(({ slug, name }) => ({ slug, name })),
  })

export const endpointsQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.endpoints(project), 'choices'],
    queryFn: async () => (await unwrap(api.GET(`${BASE}/endpoints`, { params: { path: { project } } }))).map(({ slug, name }) => ({ slug, name })),
  })

export const secretNamesQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.project(project), 'secrets', 'names'],
    queryFn: async () => (await unwrap(api.GET(`${BASE}/secrets`, { params: { path: { project } } }))).map((secret) => secret.name),
  })

export const latestRunQuery = (project: string, pipeline: string) =>
  queryOptions({
    queryKey: [...keys.runs(project), 'latest-of', pipeline],
    queryFn: async () => (await unwrap(api.GET(`${BASE}/runs`, { params: { path: { project }, query: { pipeline, limit: 1 } } }))).items[0] ?? null,
  })

export const runQuery = (project: string, run: string) =>
  queryOptions({
    queryKey: [...keys.runs(project), 'steps-of', run],
    queryFn: () => unwrap(api.GET(`${BASE}/runs/{run_id}`, { params: { path: { project, run_id: run } } })),
  })

export const checkGraph = (project: string, graph: Graph, signal: AbortSignal) => unwrap(api.POST(`${BASE}/pipelines/check`, { params: { path: { project } }, body: toApi(graph), signal }))

export const createPipeline = (project: string, body: { name: string; template?: string; parameters?: Record<string, Record<string, unknown>>; graph?: Graph; yaml?: string }) =>
  unwrap(
    api.POST(`${BASE}/pipelines`, {
      params: { path: { project } },
      body: { name: body.name, description: '', template: body.template ?? null, parameters: body.parameters ?? {}, graph: body.graph ? toApi(body.graph) : null, yaml: body.yaml ?? null },
    }),
  )

export const updatePipeline = (project: string, pipeline: string, body: Schemas['PipelinePatch']) => unwrap(api.PATCH(`${BASE}/pipelines/{pipeline}`, { params: { path: { project, pipeline } }, body }))

export const deletePipeline = (project: string, pipeline: string) => unwrap(api.DELETE(`${BASE}/pipelines/{pipeline}`, { params: { path: { project, pipeline } } }))

export const restorePipeline = (project: string, pipeline: string) => unwrap(api.POST(`${BASE}/pipelines/{pipeline}/restore`, { params: { path: { project, pipeline } } }))

export const publishPipeline = (project: string, pipeline: string, note: string) => unwrap(api.POST(`${BASE}/pipelines/{pipeline}/publish`, { params: { path: { project, pipeline } }, body: { note } }))

export const startRun = (project: string, body: Schemas['RunIn']) => unwrap(api.POST(`${BASE}/runs`, { params: { path: { project } }, body }))

export const forecastQuery = (project: string, pipeline: string, version: number | null) =>
  queryOptions({
    queryKey: [...keys.runs(project), 'forecast', pipeline, version],
    queryFn: () => unwrap(api.GET(`${BASE}/pipelines/{pipeline}/forecast`, { params: { path: { project, pipeline }, query: version === null ? {} : { version } } })),
  })

export const exportYaml = (project: string, pipeline: string, version?: number) =>
  unwrap(api.GET(`${BASE}/pipelines/{pipeline}/yaml`, { params: { path: { project, pipeline }, query: version === undefined ? {} : { version } } }))

/** The graph that a YAML text says; nothing is kept. */
export const parseYaml = async (project: string, yaml: string) => normalise(await unwrap(api.POST(`${BASE}/pipelines/parse`, { params: { path: { project } }, body: { yaml, slug: null } })))

export const startDemo = (project: string, slug: string) => unwrap(api.POST(`${BASE}/demos/{slug}`, { params: { path: { project, slug } } }))

export const demoQuery = (project: string, demo: string) =>
  queryOptions({
    queryKey: [...keys.project(project), 'demos', demo],
    queryFn: () => unwrap(api.GET(`${BASE}/demos/{demo_id}`, { params: { path: { project, demo_id: demo } } })),
  })
