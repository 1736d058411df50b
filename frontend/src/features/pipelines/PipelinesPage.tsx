/** The pipelines of a project. */
import { ActionIcon, Badge, Button, Card, FileButton, Group, Menu, Modal, SegmentedControl, Skeleton, Stack, Text, Textarea, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconCopy, IconDots, IconFileImport, IconPlus, IconRoute, IconSearch, IconTemplate, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan } from '@/api/me'
import { ago, plural } from '@/lib/format'
import { useCommands } from '@/ui/commands'
import { notifyError, notifyUndo } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'

import classes from './canvas/panels.module.css'
import lists from './canvas/lists.module.css'
import { Miniature } from './canvas/Miniature'
import { EMPTY_CATALOG } from './graph/catalog'
import { normalise } from './graph/types'
import { catalogQuery, createPipeline, deletePipeline, restorePipeline, templatesQuery } from './queries'

export function PipelinesPage() {
  const { project = '' } = useParams({ strict: false })
  const can = useCan(project)
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text, 200)
  const [creating, setCreating] = useState<'blank' | 'yaml' | null>(null)
  const list = useInfiniteQuery({
    queryKey: [...keys.pipelines(project), 'list', search],
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/projects/{project}/pipelines', { params: { path: { project }, query: { ...(search ? { search } : {}), ...(pageParam ? { cursor: pageParam } : {}), limit: 50 } } })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  })
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const writable = can('pipeline.write')
  useCommands(
    () =>
      writable
        ? [
            { id: 'pipelines.new', label: 'New pipeline', group: 'Pipelines', icon: IconPlus, run: () => setCreating('blank') },
            { id: 'pipelines.import', label: 'Import a pipeline from YAML', group: 'Pipelines', icon: IconFileImport, run: () => setCreating('yaml') },
          ]
        : [],
    [writable],
  )
  const actions = writable && (
    <>
      <Button variant="default" leftSection={<IconTemplate size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/templates" params={{ project }} {...props} />}>
        From a template
      </Button>
      <Button variant="default" leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setCreating('yaml')}>
        Import YAML
      </Button>
      <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating('blank')}>
        New pipeline
      </Button>
    </>
  )
  return (
    <Stack gap="lg">
      <PageHeader title="Pipelines" description="From data to a deployed model, as steps and wires." actions={actions} />
      {(items.length > 0 || search) && <TextInput maw={360} aria-label="Search pipelines" placeholder="Search pipelines" leftSection={<IconSearch size={15} aria-hidden />} value={text} onChange={(event) => setText(event.currentTarget.value)} />}
      <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      {list.isPending && (
        <Card p={0} aria-busy="true">
          {[0, 1, 2].map((row) => (
            <Skeleton key={row} h={76} m="sm" />
          ))}
        </Card>
      )}
      {list.data && items.length === 0 && (
        <Card>
          {search ? (
            <EmptyState compact icon={IconSearch} title={`No pipeline matches “${search}”`} />
          ) : (
            <EmptyState icon={IconRoute} title="No pipelines yet" actions={actions}>
              A pipeline reads a data set, prepares it, trains models, compares and deploys them. Templates are the quickest start; a blank canvas is the freest.
            </EmptyState>
          )}
        </Card>
      )}
      {items.length > 0 && (
        <Card p={0} component="ul" m={0} style={{ listStyle: 'none' }} aria-label="Pipelines">
          {items.map((item) => (
            <Row key={item.id} project={project} item={item} writable={writable} deletable={can('pipeline.delete')} />
          ))}
        </Card>
      )}
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()} style={{ alignSelf: 'center' }}>
          Show more
        </Button>
      )}
      <CreateDialog project={project} start={creating} onClose={() => setCreating(null)} />
    </Stack>
  )
}

function Row({ project, item, writable, deletable }: { project: string; item: Schemas['PipelineOut']; writable: boolean; deletable: boolean }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const catalog = useQuery(catalogQuery(project)).data ?? EMPTY_CATALOG
  // The drawing is of the draft; a list of hundreds would ask hundreds of times, so a row asks when it is drawn and keeps it.
  const draft = useQuery({
    queryKey: [...keys.pipelines(project), 'drawing', item.slug, item.draft_digest],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/pipelines/{pipeline}/draft', { params: { path: { project, pipeline: item.slug } } })),
    select: (answer) => normalise(answer.graph),
    staleTime: Infinity,
    enabled: item.steps > 0,
  })
  const refresh = () => client.invalidateQueries({ queryKey: keys.pipelines(project) })
  const remove = useMutation({
    mutationFn: () => deletePipeline(project, item.slug),
    onSuccess: () => {
      void refresh()
      notifyUndo(`Deleted “${item.name}”.`, async () => {
        await restorePipeline(project, item.slug)
        await refresh()
      })
    },
    onError: notifyError,
  })
  const copy = useMutation({
    mutationFn: () => createPipeline(project, { name: `${item.name} (copy)`.slice(0, 120), ...(draft.data ? { graph: draft.data } : {}) }),
    onSuccess: (made) => {
      void refresh()
      void navigate({ to: '/p/$project/pipelines/$pipeline', params: { project, pipeline: made.slug } })
    },
    onError: notifyError,
  })
  const unpublished = item.latest_version !== null && item.draft_digest !== item.published_digest
  return (
    <li className={classes.row}>
      <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: item.slug }} tabIndex={-1} aria-hidden className={lists.thumb}>
        {draft.data && <Miniature graph={draft.data} catalog={catalog} height={64} />}
      </Link>
      <div style={{ minWidth: 0 }}>
        <Group gap="xs">
          <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: item.slug }} className={lists.rowLink}>
            {item.name}
          </Link>
          {item.latest_version !== null ? <Badge color="green">Version {item.latest_version}</Badge> : <Badge color="gray">Never published</Badge>}
          {unpublished && <Badge color="yellow">Draft has changes</Badge>}
        </Group>
        <Text size="sm" c="dimmed" lineClamp={1}>
          {[plural(item.steps, 'step'), `edited ${ago(item.updated_at)}`, item.created_by ? `by ${item.created_by.name || item.created_by.email}` : '', item.description].filter(Boolean).join(' · ')}
        </Text>
      </div>
      <Menu position="bottom-end">
        <Menu.Target>
          <Tooltip label="More">
            <ActionIcon aria-label={`More for ${item.name}`}>
              <IconDots size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          {writable && (
            <Menu.Item leftSection={<IconCopy size={16} aria-hidden />} onClick={() => copy.mutate()}>
              Duplicate
            </Menu.Item>
          )}
          {deletable && (
            <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} color="red" onClick={() => remove.mutate()}>
              Delete
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </li>
  )
}

function CreateDialog({ project, start, onClose }: { project: string; start: 'blank' | 'yaml' | null; onClose: () => void }) {
  return (
    <Modal opened={start !== null} onClose={onClose} title={<Text fw={620}>New pipeline</Text>} size="lg">
      {start && <Create project={project} start={start} onClose={onClose} />}
    </Modal>
  )
}

function Create({ project, start, onClose }: { project: string; start: 'blank' | 'yaml'; onClose: () => void }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const [how, setHow] = useState<string>(start)
  const [name, setName] = useState('')
  const [yaml, setYaml] = useState('')
  const [template, setTemplate] = useState<string | null>(null)
  const templates = useQuery(templatesQuery(project))
  const catalog = useQuery(catalogQuery(project)).data ?? EMPTY_CATALOG
  const chosen = templates.data?.find((item) => item.slug === template)
  const create = useMutation({
    mutationFn: () => createPipeline(project, { name: name.trim() || chosen?.title || nameIn(yaml) || 'New pipeline', ...(how === 'yaml' ? { yaml } : {}), ...(how === 'template' && template ? { template } : {}) }),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: keys.pipelines(project) })
      onClose()
      void navigate({ to: '/p/$project/pipelines/$pipeline', params: { project, pipeline: made.slug } })
    },
  })
  const ready = how === 'blank' || (how === 'yaml' && yaml.trim() !== '') || (how === 'template' && template !== null)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) create.mutate()
      }}
    >
      <Stack gap="md">
        <SegmentedControl
          value={how}
          onChange={setHow}
          data={[
            { value: 'blank', label: 'Blank' },
            { value: 'template', label: 'From a template' },
            { value: 'yaml', label: 'From YAML' },
          ]}
          aria-label="How to begin"
        />
        <TextInput label="Name" placeholder={chosen?.title ?? 'What this pipeline is for'} maxLength={120} value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        {how === 'template' && (
          <Stack gap={6} role="radiogroup" aria-label="Template" mah={300} style={{ overflowY: 'auto' }} p={2}>
            {templates.data?.map((item) => (
              <button key={item.slug} type="button" role="radio" aria-checked={template === item.slug} className={lists.choice} onClick={() => setTemplate(item.slug)}>
                <span style={{ width: 120, flex: 'none' }}>
                  <Miniature graph={item.graph} catalog={catalog} height={52} />
                </span>
                <span>
                  <Text size="sm" fw={600}>
                    {item.title}
                  </Text>
                  <Text size="xs" c="dimmed" lineClamp={2}>
                    {item.summary}
                  </Text>
                </span>
              </button>
            ))}
          </Stack>
        )}
        {how === 'yaml' && (
          <>
            <Textarea label="YAML" autosize minRows={8} maxRows={16} value={yaml} onChange={(event) => setYaml(event.currentTarget.value)} spellCheck={false} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12.5 } }} />
            <FileButton accept=".yaml,.yml,text/yaml,application/yaml" onChange={(file) => void file?.text().then(setYaml)}>
              {(props) => (
                <Button {...props} variant="default" size="xs" leftSection={<IconFileImport size={15} aria-hidden />} style={{ alignSelf: 'flex-start' }}>
                  Choose a file
                </Button>
              )}
            </FileButton>
          </>
        )}
        <ErrorNotice error={create.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!ready} loading={create.isPending}>
            Create
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** The name that the YAML gives itself, for when none was typed. */
function nameIn(yaml: string): string {
  return /^name:\s*["']?(.+?)["']?\s*$/m.exec(yaml)?.[1] ?? ''
}
