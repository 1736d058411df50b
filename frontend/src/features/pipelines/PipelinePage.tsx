/** One pipeline: palette, canvas, inspector, and the bar above them. */
import { Anchor, Breadcrumbs, Button, Center, Group, Loader, Stack, Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { IconArrowBackUp, IconGitCompare, IconPlus, IconRestore, IconTemplate } from '@tabler/icons-react'
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { ReactFlowProvider } from '@xyflow/react'
import { useCallback, useEffect, useMemo, useRef } from 'react'

import { isApiError } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useMe } from '@/api/me'
import { ago } from '@/lib/format'
import { useCommands } from '@/ui/commands'
import { notifyError } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useTitle } from '@/ui/PageHeader'

import { ACTIONS } from './actions'
import { actionFor, placeOf } from './actions/keyboard'
import { pasteText } from './actions/paste'
import { Canvas } from './canvas/Canvas'
import { ContextMenu } from './canvas/ContextMenu'
import { CompareDialog, ConflictDialog, PublishDialog, YamlDialog, type Version } from './canvas/dialogs'
import { firstLook } from './canvas/firstLook'
import { EditorContext, useEditor, useEditorState } from './canvas/hooks'
import type { Choices } from './canvas/Inspector'
import classes from './canvas/panels.module.css'
import { Pickers } from './canvas/Pickers'
import { ProblemsPanel } from './canvas/Problems'
import { RunDialog } from './canvas/RunDialog'
import { Drawers, LeftPanel, RightPanel } from './canvas/SidePanels'
import { ToolBar, TopBar } from './canvas/TopBar'
import { useCheck, useGraphOf, useOpen, usePresence, useRunStatus, useSessionState, type Studio } from './canvas/useStudio'
import { CodeDialog } from './code/CodeDialog'
import { EMPTY_CATALOG } from './graph/catalog'
import { successorCounts } from './graph/connect'
import { sameMeaning } from './graph/diff'
import { pipelineOf } from './graph/nested'
import type { Graph, Position, Step } from './graph/types'
import { catalogQuery, datasetsQuery, endpointsQuery, modelsQuery, pipelineQuery, secretNamesQuery, templatesQuery, updatePipeline, versionQuery, versionsQuery } from './queries'

const NO_VERSIONS: Version[] = []

export function PipelinePage() {
  const { project = '', pipeline = '' } = useParams({ strict: false })
  const me = useMe()
  const can = useCan(project)
  const writable = me ? can('pipeline.write') : null
  const found = useQuery(pipelineQuery(project, pipeline))
  const studio = useOpen(project, pipeline, found.data ? writable : null)
  useTitle(found.data?.name, 'Pipelines')
  if (found.error) {
    const gone = isApiError(found.error) && found.error.status === 404
    return (
      <Center h="100%" p="md">
        {gone ? (
          <EmptyState page icon={IconTemplate} title="There is no such pipeline" actions={<Button renderRoot={(props) => <Link to="/p/$project/pipelines" params={{ project }} {...props} />}>All pipelines</Button>}>
            It may have been deleted, or the address is not right.
          </EmptyState>
        ) : (
          <ErrorNotice error={found.error} onRetry={() => void found.refetch()} />
        )}
      </Center>
    )
  }
  if (!found.data || !studio) return <Opening />
  return (
    <EditorContext.Provider value={studio.editor}>
      <ReactFlowProvider>
        <StudioPage key={`${project}/${pipeline}`} project={project} pipeline={pipeline} name={found.data.name} studio={studio} writable={writable ?? false} />
      </ReactFlowProvider>
    </EditorContext.Provider>
  )
}

function Opening() {
  return (
    <Center h="100%" aria-busy="true">
      <Stack align="center" gap="xs">
        <Loader size="sm" />
        <Text size="sm" c="dimmed">
          Opening the pipeline…
        </Text>
      </Stack>
    </Center>
  )
}

function StudioPage({ project, pipeline, name, studio, writable }: { project: string; pipeline: string; name: string; studio: Studio; writable: boolean }) {
  const { session, editor } = studio
  const client = useQueryClient()
  const navigate = useNavigate()
  const can = useCan(project)
  const search = useSearch({ strict: false }) as { version?: number; from?: string }
  const narrow = useMediaQuery('(max-width: 820px)', window.innerWidth <= 820, { getInitialValueInEffect: false }) ?? false
  const sessionState = useSessionState(session)
  const catalog = useQuery(catalogQuery(project, pipeline))
  const templates = useQuery(templatesQuery(project))
  const datasets = useQuery(datasetsQuery(project))
  const models = useQuery(modelsQuery(project))
  const endpoints = useQuery(endpointsQuery(project))
  const secretive = can('secret.read')
  const secretNames = useQuery({ ...secretNamesQuery(project), enabled: secretive })
  const versionList = useQuery(versionsQuery(project, pipeline))
  const versions = versionList.data ?? NO_VERSIONS
  const shownVersion = useQuery(versionQuery(project, pipeline, typeof search.version === 'number' ? search.version : undefined)).data ?? null
  const shown = shownVersion?.number ?? null
  const graph = useGraphOf(editor)
  // The canvas waits until the editor has the catalogue: drawn without it, ports would be missing for a moment.
  const known = useEditorState((state) => state.catalog !== EMPTY_CATALOG)
  const ready = sessionState.ready && known
  const counts = useMemo(() => successorCounts((templates.data ?? []).map((template) => template.graph)), [templates.data])
  const settings = can('secret.write') ? `/p/${project}/settings?tab=secrets` : undefined
  const secrets = useMemo(() => (secretive ? { names: secretNames.data, settings } : undefined), [secretive, secretNames.data, settings])
  const choices = useMemo<Choices>(() => ({ datasets: datasets.data, models: models.data, endpoints: endpoints.data, secrets }), [datasets.data, models.data, endpoints.data, secrets])
  const draft = useCallback((): Graph => editor.draft.getGraph(), [editor])
  const flush = useCallback(() => session.flush(), [session])
  const latest = useQuery(versionQuery(project, pipeline, versions[0]?.number)).data
  const unpublished = versions.length === 0 ? true : ready && latest ? !sameMeaning(latest.graph, session.draft.getGraph(), catalog.data ?? EMPTY_CATALOG) : null

  useEffect(() => {
    editor.set({ catalog: catalog.data ?? EMPTY_CATALOG })
  }, [editor, catalog.data])
  useEffect(() => {
    editor.show(shownVersion?.graph ?? null)
    editor.set({ readOnly: !writable || shownVersion !== null || !sessionState.ready })
  }, [editor, shownVersion, writable, sessionState.ready])
  useEffect(() => {
    editor.set({ peers: sessionState.peers })
  }, [editor, sessionState.peers])

  useCheck(project, editor, graph, ready)
  usePresence(studio, sessionState.ready)
  const run = useRunStatus(project, pipeline, editor, graph)
  useKeys(editor)
  useCommands(
    () =>
      ACTIONS.map((action) => ({
        id: action.id,
        label: action.label,
        group: { Edit: 'Pipeline: edit', Steps: 'Pipeline: steps', View: 'Pipeline: view', Pipeline: 'Pipeline', Walk: 'Pipeline: keyboard' }[action.group],
        icon: action.icon,
        shortcut: action.keys[0],
        boundByPage: true,
        hidden: action.quiet,
        run: () => {
          if (action.available(editor)) action.run(editor)
          else editor.announce(`“${action.label}” cannot be used just now.`)
        },
      })),
    [editor],
  )

  const rename = useMutation({
    mutationFn: (next: string) => updatePipeline(project, pipeline, { name: next }),
    onSuccess: () => void client.invalidateQueries({ queryKey: keys.pipelines(project) }),
    onError: notifyError,
  })
  const from = search.from
  const showVersion = (number: number | null) => void navigate({ to: '/p/$project/pipelines/$pipeline', params: { project, pipeline }, search: { ...(from ? { from } : {}), ...(number === null ? {} : { version: number }) } })
  const openStep = useCallback(
    (step: Step) => {
      const inside = pipelineOf(step.component)
      if (inside) void navigate({ to: '/p/$project/pipelines/$pipeline', params: { project, pipeline: inside.slug }, search: { version: inside.version, from: from ? `${from},${pipeline}` : pipeline } })
    },
    [navigate, project, pipeline, from],
  )
  useEffect(() => {
    editor.openStep = openStep
  }, [editor, openStep])
  const restore = () => {
    if (!shownVersion) return
    const wanted = shownVersion
    editor.show(null)
    editor.set({ readOnly: !writable })
    editor.change(wanted.graph, `Restored version ${wanted.number}`)
    showVersion(null)
  }

  // The first look.
  const fitted = useRef('')
  useEffect(() => {
    const key = `${pipeline}@${shown ?? 'draft'}`
    if (!ready || fitted.current === key || !graph) return
    fitted.current = key
    // Nothing to look at yet: the first step stays where it is dropped.
    if (Object.keys(graph.steps).length === 0) return
    // A moment later: the panels beside the canvas may still come or go.
    // And on a slow machine the canvas itself is not there yet.
    const look = (tries: number) => {
      if (!firstLook(editor) && tries > 0) setTimeout(() => look(tries - 1), 60)
    }
    setTimeout(() => look(50), 60)
  }, [ready, graph, pipeline, shown, editor])

  const cursorAt = useRef(0)
  const onCursor = useCallback(
    (position: Position | null) => {
      const now = Date.now()
      if (position && now - cursorAt.current < 60) return
      cursorAt.current = now
      session.present({ cursor: position && { x: Math.round(position.x), y: Math.round(position.y) } })
    },
    [session],
  )

  if (sessionState.error && !sessionState.ready) {
    return (
      <Center h="100%" p="md">
        <ErrorNotice error={sessionState.error} title="The draft could not be opened" />
      </Center>
    )
  }
  const shared = { project, pipeline, versions, draft, flush }
  return (
    <div className={classes.page}>
      <TopBar
        project={project}
        name={name}
        onRename={writable ? (next) => rename.mutate(next) : null}
        session={sessionState}
        versions={versions}
        shown={shown}
        unpublished={unpublished}
        run={run}
        narrow={narrow}
        canRun={can('run.start')}
        onShowVersion={showVersion}
      />
      {from && <Trail project={project} from={from} name={name} />}
      {shownVersion && (
        <div className={classes.banner} role="status">
          <span>
            Version {shownVersion.number}, published {ago(shownVersion.created_at)}
            {shownVersion.created_by ? ` by ${shownVersion.created_by.name || shownVersion.created_by.email}` : ''}. It never changes.
          </span>
          <Group gap="xs">
            <Button size="compact-sm" variant="default" leftSection={<IconArrowBackUp size={14} aria-hidden />} onClick={() => showVersion(null)}>
              Back to the draft
            </Button>
            <Button size="compact-sm" variant="default" leftSection={<IconGitCompare size={14} aria-hidden />} onClick={() => editor.open({ name: 'compare' })}>
              Compare
            </Button>
            {writable && (
              <Button size="compact-sm" leftSection={<IconRestore size={14} aria-hidden />} onClick={restore}>
                Restore as draft
              </Button>
            )}
          </Group>
        </div>
      )}
      {!writable && !shownVersion && (
        <div className={classes.banner} role="status">
          You may look at this pipeline, but not change it.
        </div>
      )}
      <div className={classes.body}>
        {!narrow && !shownVersion && writable && <LeftPanel counts={counts} />}
        <div className={classes.middle}>
          <div className={classes.stageArea}>
            {ready ? <Canvas onCursor={onCursor} onOpen={openStep} /> : <Opening />}
            {ready && graph && Object.keys(graph.steps).length === 0 && <Start project={project} narrow={narrow} />}
            {ready && <ToolBar narrow={narrow} onPalette={() => editor.set({ palette: true })} />}
          </div>
          <ProblemsSlot />
        </div>
        {!narrow && <RightPanel choices={choices} />}
      </div>
      {narrow && <Drawers counts={counts} choices={choices} />}
      <Pickers counts={counts} />
      <ContextMenu />
      <RunDialog project={project} pipeline={pipeline} version={shown} flush={flush} choices={choices} />
      <PublishDialog {...shared} />
      <CompareDialog {...shared} />
      <YamlDialog {...shared} name={name} version={shown} />
      <ConflictDialog conflict={sessionState.conflict} onChoose={(choice) => void session.resolve(choice)} />
      <CodeDialog project={project} />
      <LiveRegion />
    </div>
  )
}

/** The way back from a pipeline that was opened as a step of another, outermost first. */
function Trail({ project, from, name }: { project: string; from: string; name: string }) {
  const slugs = from.split(',').filter(Boolean)
  const names = useQueries({ queries: slugs.map((slug) => pipelineQuery(project, slug)) })
  return (
    <nav className={classes.banner} aria-label="Opened from">
      <Breadcrumbs fz="sm">
        {slugs.map((slug, index) => (
          <Anchor key={slug} inherit renderRoot={(props) => <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: slug }} search={index > 0 ? { from: slugs.slice(0, index).join(',') } : {}} {...props} />}>
            {names[index]?.data?.name ?? slug}
          </Anchor>
        ))}
        <Text fz="sm" aria-current="page">
          {name}
        </Text>
      </Breadcrumbs>
    </nav>
  )
}

/** Keys of the canvas, before anybody else's; what a field, a button or a dialog needs stays theirs. */
function useKeys(editor: ReturnType<typeof useEditor>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return
      const place = placeOf(event.target)
      if (place === 'field' && event.key === 'Escape' && event.target instanceof HTMLElement && event.target.closest('[data-side]')) {
        document.querySelector<HTMLElement>('[data-canvas]')?.focus()
        return
      }
      const action = actionFor(event, place)
      // Text that is marked somewhere on the page is what Ctrl+C means then.
      if (!action || (action.id === 'pipeline.copy' && !window.getSelection()?.isCollapsed)) return
      // The browser's own paste event brings the text without asking for permission.
      if (action.id === 'pipeline.paste') return
      if (!action.available(editor)) return
      event.preventDefault()
      event.stopImmediatePropagation()
      action.run(editor)
    }
    const onPaste = (event: ClipboardEvent) => {
      const place = placeOf(event.target)
      if (place === 'field' || place === 'dialog' || editor.state.readOnly) return
      if (pasteText(editor, event.clipboardData?.getData('text/plain') ?? '')) event.preventDefault()
    }
    window.addEventListener('keydown', onKey, true)
    window.addEventListener('paste', onPaste)
    return () => {
      window.removeEventListener('keydown', onKey, true)
      window.removeEventListener('paste', onPaste)
    }
  }, [editor])
}

function LiveRegion() {
  const said = useEditorState((state) => state.said)
  return (
    <div className="visually-hidden" aria-live="polite" role="status" data-live-region>
      {said}
    </div>
  )
}

function ProblemsSlot() {
  const opened = useEditorState((state) => state.problemsOpen)
  return opened ? <ProblemsPanel /> : null
}

/** An empty canvas says what to do. */
function Start({ project, narrow }: { project: string; narrow: boolean }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const reader = useEditorState((state) => state.catalog.components.get('read_table'))
  const images = useEditorState((state) => state.catalog.components.get('read_images'))
  return (
    <div className={classes.start}>
      <div>
        <EmptyState
          icon={IconPlus}
          title="Start with your data"
          actions={
            !readOnly && (
              <>
                {[reader, images].map(
                  (component) =>
                    component && (
                      <Button key={component.name} variant={component === reader ? 'filled' : 'default'} onClick={() => editor.add(component)}>
                        {component.title}
                      </Button>
                    ),
                )}
                <Button variant="default" onClick={() => editor.open({ name: 'add' })}>
                  Another step
                </Button>
              </>
            )
          }
        >
          {narrow ? (
            'The plus below has all components.'
          ) : (
            <>
              Drag a component here, or press <b>/</b> to search.
            </>
          )}{' '}
          You can also begin from a{' '}
          <Anchor inherit underline="always" renderRoot={(props) => <Link to="/p/$project/templates" params={{ project }} {...props} />}>
            template
          </Anchor>
          .
        </EmptyState>
      </div>
    </div>
  )
}
