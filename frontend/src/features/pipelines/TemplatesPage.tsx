/** The gallery: pipelines that ship with the studio, drawn as they are. */
import { Badge, Button, Card, Group, Modal, Progress, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core'
import { useSessionStorage } from '@mantine/hooks'
import { IconPlayerPlayFilled, IconTemplate } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { isApiError } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan } from '@/api/me'
import { humanise, plural } from '@/lib/format'
import { notifyError } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'

import classes from './canvas/lists.module.css'
import { Miniature } from './canvas/Miniature'
import { componentOf, EMPTY_CATALOG, type Catalog } from './graph/catalog'
import type { Graph, Template } from './graph/types'
import { catalogQuery, createPipeline, datasetsQuery, demoQuery, startDemo, templatesQuery } from './queries'

type Shown = Omit<Template, 'graph'> & { graph: Graph }

/** The data set parameters of a graph: what a template asks for before it can run. */
function datasetSlots(graph: Graph, catalog: Catalog): { step: string; parameter: string }[] {
  return Object.entries(graph.steps).flatMap(([step, { component }]) => {
    const properties = (catalog.components.get(component)?.parameters as { properties?: Record<string, { format?: string }> } | undefined)?.properties ?? {}
    return Object.entries(properties)
      .filter(([, schema]) => schema.format === 'dataset-version')
      .map(([parameter]) => ({ step, parameter }))
  })
}

export function TemplatesPage() {
  const { project = '' } = useParams({ strict: false })
  const can = useCan(project)
  const templates = useQuery(templatesQuery(project))
  const catalog = useQuery(catalogQuery(project)).data ?? EMPTY_CATALOG
  const [using, setUsing] = useState<Shown | null>(null)
  return (
    <Stack gap="lg">
      <PageHeader title="Templates" crumbs={[{ label: 'Pipelines', to: '/p/$project/pipelines', params: { project } }]} description="Whole pipelines to begin with. Each becomes one of your own that you can change as you like." />
      <ErrorNotice error={templates.error} onRetry={() => void templates.refetch()} />
      {templates.isPending && (
        <div className={classes.grid} aria-busy="true">
          {[0, 1, 2].map((card) => (
            <Skeleton key={card} h={300} radius="md" />
          ))}
        </div>
      )}
      {templates.data?.length === 0 && <EmptyState icon={IconTemplate} title="This studio has no templates" />}
      <div className={classes.grid}>
        {templates.data?.map((template) => (
          <Card key={template.slug} p={0} className={classes.card} component="article" aria-labelledby={`template-${template.slug}`}>
            <div className={classes.miniature}>
              <Miniature graph={template.graph} catalog={catalog} />
            </div>
            <Stack gap="xs" p="md" flex={1}>
              <Group justify="space-between" wrap="nowrap" align="flex-start">
                <Title order={2} size="h3" id={`template-${template.slug}`}>
                  {template.title}
                </Title>
                <Badge color="blue" flex="none">
                  {humanise(template.modality)}
                </Badge>
              </Group>
              <Text size="sm" flex={1}>
                {template.summary}
              </Text>
              <Text size="xs" c="dimmed">
                {plural(Object.keys(template.graph.steps).length, 'step')} · needs {template.modality === 'images' ? 'a data set of labelled images' : template.modality === 'text' ? 'a data set of texts' : 'a table'}
              </Text>
              <Group gap="xs" mt="xs">
                {template.demo && can('demo.start') && <Demo project={project} demo={template.slug} title={template.title} />}
                <Button size="xs" variant={template.demo ? 'default' : 'filled'} disabled={!can('pipeline.write')} onClick={() => setUsing(template)}>
                  Use this template
                </Button>
              </Group>
            </Stack>
          </Card>
        ))}
      </div>
      <Modal opened={using !== null} onClose={() => setUsing(null)} title={<Text fw={620}>Use “{using?.title}”</Text>}>
        {using && <Use project={project} template={using} catalog={catalog} onClose={() => setUsing(null)} />}
      </Modal>
    </Stack>
  )
}

/** One click: the studio brings the real data, makes the pipeline and runs it; then the run is shown. */
function Demo({ project, demo, title }: { project: string; demo: string; title: string }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  // Kept for this tab, so that a reload finds the work that goes on.
  const [id, setId] = useSessionStorage({ key: `headrace.demo.${project}.${demo}`, defaultValue: '', getInitialValueInEffect: false })
  const start = useMutation({ mutationFn: () => startDemo(project, demo), onSuccess: (made) => setId(made.id), onError: notifyError })
  const state = useQuery({ ...demoQuery(project, id), enabled: id !== '', refetchInterval: (query) => (query.state.data && ['succeeded', 'failed'].includes(query.state.data.status) ? false : 1000) })
  const found = id ? state.data : undefined
  useEffect(() => {
    if (state.error && isApiError(state.error) && state.error.status === 404) setId('')
  }, [state.error, setId])
  useEffect(() => {
    if (!found?.run) return
    setId('')
    void client.invalidateQueries({ queryKey: keys.project(project) })
    void navigate({ to: '/p/$project/runs/$run', params: { project, run: found.run } })
  }, [found, project, client, navigate, setId])
  if (found && found.status !== 'failed') {
    return (
      <Stack gap={4} w="100%" role="status">
        <Text size="xs">{found.message || 'Preparing the demo…'}</Text>
        <Progress value={Math.max(3, found.progress * 100)} size="sm" animated aria-label={`Preparing ${title}`} />
      </Stack>
    )
  }
  return (
    <>
      {found?.status === 'failed' && <ErrorNotice error={found.message || 'The demo could not be prepared.'} />}
      <Button size="xs" loading={start.isPending} leftSection={<IconPlayerPlayFilled size={13} aria-hidden />} onClick={() => start.mutate()}>
        Start with demo data
      </Button>
    </>
  )
}

function Use({ project, template, catalog, onClose }: { project: string; template: Shown; catalog: Catalog; onClose: () => void }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const datasets = useQuery(datasetsQuery(project))
  const slots = datasetSlots(template.graph, catalog)
  const fitting = (datasets.data ?? []).filter((item) => item.modality === template.modality)
  const [name, setName] = useState(template.title)
  const named = slots.map(({ step, parameter }) => String(template.graph.steps[step]?.parameters[parameter] ?? '').split('@')[0])
  const asked = (useSearch({ strict: false }) as { dataset?: string }).dataset
  const own = [asked, ...named].find((slug) => fitting.some((item) => item.slug === slug)) ?? null
  const [chosen, setChosen] = useState<string | null>()
  const dataset = chosen === undefined ? own : chosen
  const create = useMutation({
    mutationFn: () => {
      const parameters: Record<string, Record<string, unknown>> = {}
      if (dataset) for (const { step, parameter } of slots) parameters[step] = { ...parameters[step], [parameter]: `${dataset}@latest` }
      return createPipeline(project, { name, template: template.slug, parameters })
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: keys.pipelines(project) })
      void navigate({ to: '/p/$project/pipelines/$pipeline', params: { project, pipeline: made.slug } })
    },
  })
  const readers = slots.map(({ step }) => template.graph.steps[step]?.name || componentOf(catalog, template.graph.steps[step])?.title || step)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        create.mutate()
      }}
    >
      <Stack gap="md">
        <TextInput label="Name" required maxLength={120} value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        {slots.length > 0 && (
          <Select
            label="Data set"
            description={`Read by ${[...new Set(readers)].map((title) => `“${title}”`).join(' and ')}. You can choose it later, too; columns are then chosen in each step.`}
            data={fitting.map((item) => ({ value: item.slug, label: item.name }))}
            value={dataset}
            onChange={setChosen}
            allowDeselect={false}
            clearable
            searchable
            placeholder={datasets.data && fitting.length === 0 ? 'No data set fits yet' : 'Choose later'}
          />
        )}
        {datasets.data && fitting.length === 0 && slots.length > 0 && (
          <Text size="sm" c="dimmed">
            First <Link to="/p/$project/datasets" params={{ project }}>upload a data set</Link>, or create the pipeline now and choose one later.
          </Text>
        )}
        <ErrorNotice error={create.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending} disabled={name.trim() === ''}>
            Create the pipeline
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
