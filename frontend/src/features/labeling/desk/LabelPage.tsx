/** Where people label: the item, the question, the keys. The next item is ready before this one is done. */
import { ActionIcon, Alert, Anchor, Badge, Button, Center, Drawer, Group, Kbd, Loader, Stack, Text, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconArrowLeft, IconArrowBackUp, IconBook, IconCheck, IconGridDots, IconMessage, IconMoodSmile, IconPlayerSkipForward, IconRefresh, IconSparkles } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import Markdown from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { api, unwrap } from '@/api/client'
import { connection } from '@/api/connection'
import { useHere } from '@/api/events'
import { useMe, useProjectSlug } from '@/api/me'
import { useCommands } from '@/ui/commands'
import { notifyError } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useTitle } from '@/ui/PageHeader'
import { Editor, problems as problemsOf, useEditor, useEditorState, type LabelConfig } from '../editor'
import { configOf, itemQuery, regionsOf, resultOf, schemaQuery, useLabelingLive, useRefresh, wordingsQuery, type LabelSchema, type Work } from '../data'
import { NearDrawer } from '../explore/NearDrawer'
import { saysTheSame } from '../together/document'
import { Invite } from '../together/Invite'
import { Faces, facesOf, usePresence } from '../together/presence'
import { SubmittedByOthers } from '../together/SubmittedByOthers'
import { useAttached, useTogether } from '../together/useTogether'
import { Comments } from './Comments'
import { forgetLocally, keepLocally, keptLocally, opening, stamp, tidy } from './drafts'
import { Outbox } from './outbox'
import { useSession, type Session } from './session'
import { SkipDialog } from './SkipDialog'
import { useStopwatch } from './stopwatch'
import { useArrival, useAsker, useSuggested } from './suggested'
import { SuggestedLine } from './SuggestedLine'
import classes from './desk.module.css'

export function LabelPage() {
  const project = useProjectSlug()
  const { schema: slug = '' } = useParams({ strict: false })
  const { item } = useSearch({ strict: false }) as { item?: number }
  const schema = useQuery(schemaQuery(project, slug))
  const wordings = useQuery(wordingsQuery(project, slug))
  useLabelingLive(project)
  useTitle('Label', schema.data?.name)
  const asking = useAsker(project, slug)
  const { asker } = asking
  const session = useSession(project, slug, useCallback((work: Work) => void (work.mine || asker.want(work.id)), [asker]), item)
  const newest = wordings.data?.[0]
  const me = useMe()
  const error = schema.error ?? wordings.error ?? session.error
  if (error) {
    return (
      <Stack p="lg">
        <ErrorNotice error={error} onRetry={session.retry} />
      </Stack>
    )
  }
  if (session.over && schema.data) return <Over schema={schema.data} waiting={session.over.waiting} session={session} />
  if (!schema.data || !newest || !session.current || !me) {
    return (
      <Center h="100%">
        <Loader aria-label="The next item is on its way" />
      </Center>
    )
  }
  return <Desk key={newest.number} project={project} schema={schema.data} version={newest.number} guidelines={newest.guidelines} config={configOf(newest.config)} session={session} asking={asking} work={session.current} user={me.id} name={me.name || me.email} />
}

function Over({ schema, waiting, session }: { schema: LabelSchema; waiting: number; session: Session }) {
  const project = useProjectSlug()
  const filling = schema.fill_status === 'queued' || schema.fill_status === 'running'
  return (
    <Center h="100%">
      <EmptyState
        page
        icon={IconMoodSmile}
        title={filling ? 'The queue is being filled' : waiting > 0 ? 'The rest is in other hands' : 'All done'}
        actions={
          <>
            <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={session.retry}>
              Look again
            </Button>
            {session.done.length > 0 && (
              <Button variant="default" leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={session.back}>
                Back to the last one
              </Button>
            )}
            <Button renderRoot={(props) => <Link to="/p/$project/labels/$schema" params={{ project, schema: schema.slug }} {...props} />}>To the overview</Button>
          </>
        }
      >
        {filling
          ? 'Its items come from the data set; this takes a moment.'
          : waiting > 0
            ? `${waiting === 1 ? 'One item is' : `${waiting} items are`} open with somebody; what they let go comes back here.`
            : 'There is nothing more for you in this queue.'}
      </EmptyState>
    </Center>
  )
}

type DeskProps = { project: string; schema: LabelSchema; version: number; guidelines: string; config: LabelConfig; session: Session; asking: ReturnType<typeof useAsker>; work: Work; user: string; name: string }

function Desk({ project, schema, version, guidelines, config, session, asking, work, user, name }: DeskProps) {
  const refresh = useRefresh(project)
  const [skipping, { open: openSkip, close: closeSkip }] = useDisclosure(false)
  const [reading, { open: openGuide, close: closeGuide }] = useDisclosure(false)
  const [talking, { open: openTalk, close: closeTalk }] = useDisclosure(false)
  const [likening, { open: openNear, close: closeNear }] = useDisclosure(false)
  const [tried, setTried] = useState<number | null>(null)
  const stopwatch = useStopwatch(work.id)
  const begun = useMemo(() => {
    const mine = work.mine ? { result: resultOf(work.mine.result), at: Date.parse(work.mine.updated_at) } : null
    const remote = work.draft ? { result: resultOf(work.draft.result), number: work.draft.number } : null
    return opening(keptLocally(user, schema.id, work.id), remote, mine)
  }, [work, user, schema.id])
  const draft = useDraft(project, schema, work, user, begun.number)
  const suggested = useSuggested(asking, work)
  const shared = schema.together === 'shared'
  const together = useTogether(`${shared}:${work.id}`, shared ? { project, schema, item: work.id, user: { id: user, name }, config, begun: work.mine ? [] : begun.result } : null)
  const open = !shared || (together.state.ready && !together.state.refused)
  const editor = useEditor({
    key: shared ? `${work.id}:${together.session ? 'together' : 'opening'}` : `${work.id}:${work.mine?.version ?? 0}`,
    config,
    item: work,
    result: shared ? [] : begun.result,
    live: together.session?.result,
    readOnly: !open,
    suggestions: suggested.result,
    onChange: shared ? undefined : draft.change,
  })
  useAttached(editor, together.session)
  useArrival(editor, suggested, open, !shared && begun.number > 0)
  useHere({ label_schema: schema.slug, item: work.id, doing: 'labelling' })
  const here = usePresence(project, schema).filter((one) => one.item === work.id)
  const result = useEditorState(editor, (state) => state.result)
  const missing = problemsOf(config, result)
  const { submitted } = together.state
  // What this page sent is on its way to be seen here: nobody need be told of it.
  const [sent, setSent] = useState<number | null>(null)
  const others = shared && sent !== work.id && ((submitted !== null && (submitted.id !== work.mine?.id || submitted.version !== work.mine.version)) || together.state.refused)
  const theirs = useQuery({ ...itemQuery(project, schema.slug, work.id), queryKey: [...itemQuery(project, schema.slug, work.id).queryKey, submitted?.version ?? 0], enabled: others && submitted !== null })
  const differs = others && !!theirs.data?.mine && !saysTheSame(resultOf(theirs.data.mine.result), result)
  const outbox = useOutbox(user, (_, error) => {
    notifyError(error)
    void refresh()
  })

  const submit = useCallback(async () => {
    if (others && !differs) return session.next(true)
    if (!open) return
    const lacking = problemsOf(config, editor.state.result)
    setTried(work.id)
    if (lacking.length > 0) {
      if (lacking[0]) editor.goTo(lacking[0])
      return
    }
    draft.stop()
    setSent(work.id)
    await together.session?.flush()
    const body = { id: crypto.randomUUID(), schema_version: version, result: regionsOf(editor.state.result), seconds: stopwatch(), version: submitted?.version ?? work.mine?.version ?? null }
    void outbox.add({ id: body.id, project, schema: schema.slug, item: work.id, body }).then(() => forgetLocally(user, schema.id, work.id))
    session.next(true)
  }, [config, differs, draft, editor, open, others, outbox, project, schema, session, stopwatch, submitted, together.session, user, version, work])

  const skip = async (reason: string) => {
    await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/skip', { params: { path: { project, label_schema: schema.slug, item: work.id } }, body: { reason } }))
    closeSkip()
    session.next(false)
  }

  useCommands(
    () => [
      { id: 'label.submit', label: 'Submit', group: 'Labelling', shortcut: 'mod+Enter', icon: IconCheck, run: () => void submit() },
      { id: 'label.skip', label: 'Skip…', group: 'Labelling', shortcut: 'mod+.', icon: IconPlayerSkipForward, run: openSkip },
      { id: 'label.back', label: 'Back to the item before', group: 'Labelling', shortcut: 'mod+ArrowLeft', icon: IconArrowBackUp, run: session.back, disabled: session.done.length === 0 },
      { id: 'label.suggestion', label: 'Show the suggestion that has come', group: 'Labelling', icon: IconSparkles, run: suggested.show, hidden: !suggested.news },
      { id: 'label.guidelines', label: 'Guidelines', group: 'Labelling', shortcut: 'mod+i', icon: IconBook, run: openGuide, hidden: !guidelines },
      { id: 'label.similar', label: 'Similar items', group: 'Labelling', shortcut: 'mod+l', icon: IconGridDots, run: openNear },
      { id: 'label.comments', label: 'Comments', group: 'Labelling', shortcut: 'mod+m', icon: IconMessage, run: openTalk },
    ],
    [submit, openSkip, session.back, session.done.length, openGuide, guidelines, openTalk, openNear, suggested.show, suggested.news],
  )

  const returned = work.mine?.status === 'rejected' ? work.mine.reviews.at(-1) : undefined
  // Counted on from where this session began: asking for the count of a large queue after each item would cost more than the item.
  const [first] = useState(schema.progress.done)
  return (
    <div className={classes.page} data-item={work.id}>
      <Editor
        editor={editor}
        toolbarStart={
          <Group gap={6} wrap="nowrap">
            <Tooltip label="To the overview">
              <ActionIcon variant="subtle" aria-label="To the overview" renderRoot={(props) => <Link to="/p/$project/labels/$schema" params={{ project, schema: schema.slug }} {...props} />}>
                <IconArrowLeft size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <Text component="h1" m={0} size="sm" fw={600} className={classes.name} truncate title={schema.name}>
              {schema.name}
            </Text>
          </Group>
        }
        toolbarEnd={
          <Group gap={6} wrap="nowrap">
            <Faces people={shared ? together.state.peers.filter((peer) => peer.id !== user).map((peer) => ({ id: peer.id, name: peer.name, words: 'is here too' })) : facesOf(here)} />
            <SaveState outbox={outbox} draft={shared ? together.state.save : draft.state} />
            <Button variant="default" size="xs" onClick={openSkip} disabled={session.busy} title="Ctrl+.">
              Skip
            </Button>
            <Button size="xs" onClick={() => void submit()} loading={session.busy || (shared && !together.state.ready)} leftSection={<IconCheck size={15} aria-hidden />} rightSection={<Kbd size="xs" visibleFrom="md" aria-hidden>Ctrl ↵</Kbd>}>
              {others && !differs ? 'Next' : work.mine || submitted ? 'Change' : 'Submit'}
            </Button>
          </Group>
        }
        panelStart={
          <Stack gap="xs" px="sm" pt="xs">
            <Group justify="space-between" wrap="nowrap" gap="xs">
              <Text size="xs" c="dimmed" truncate title={work.key}>
                {(first + session.fresh).toLocaleString()} of {schema.progress.places.toLocaleString()} done{session.done.length > 0 ? `, ${session.done.length} by you now` : ''}
              </Text>
              <Group gap={2} wrap="nowrap">
                {session.done.length > 0 && (
                  <Tooltip label="Back to the item before (Ctrl+←)">
                    <ActionIcon variant="subtle" size={28} aria-label="Back to the item before" onClick={session.back}>
                      <IconArrowBackUp size={16} aria-hidden />
                    </ActionIcon>
                  </Tooltip>
                )}
                {guidelines && (
                  <Tooltip label="Guidelines (Ctrl+I)">
                    <ActionIcon variant="subtle" size={28} aria-label="Guidelines" onClick={openGuide}>
                      <IconBook size={16} aria-hidden />
                    </ActionIcon>
                  </Tooltip>
                )}
                <Tooltip label="Similar items (Ctrl+L)">
                  <ActionIcon variant="subtle" size={28} aria-label="Similar items" onClick={openNear}>
                    <IconGridDots size={16} aria-hidden />
                  </ActionIcon>
                </Tooltip>
                {shared && <Invite project={project} schema={schema.slug} item={work.id} />}
                <Tooltip label="Comments (Ctrl+M)">
                  <ActionIcon variant="subtle" size={28} aria-label={`Comments (${work.comments})`} onClick={openTalk}>
                    <IconMessage size={16} aria-hidden />
                  </ActionIcon>
                </Tooltip>
              </Group>
            </Group>
            <SuggestedLine suggested={suggested} />
            {work.assignment && (
              <Badge color="gray" variant="light">
                {work.assignment.name}
                {work.assignment.due_at ? ` · due ${new Date(work.assignment.due_at).toLocaleDateString()}` : ''}
              </Badge>
            )}
            {others && <SubmittedByOthers submitted={submitted} refused={together.state.refused || theirs.data?.mine === null} differs={differs} onNext={() => session.next(!together.state.refused)} onSubmit={() => void submit()} />}
            {returned && (
              <Alert color="yellow" title={`Sent back by ${returned.reviewer?.name ?? 'a reviewer'}`}>
                {returned.comment}
              </Alert>
            )}
            {work.mine?.status === 'accepted' && <Alert color="green">A reviewer has accepted this; it can no longer be changed.</Alert>}
            {tried === work.id && missing.length > 0 && (
              <Alert color="red" role="alert" title="Not submitted yet">
                {missing.map((problem) => (
                  <Anchor key={problem.control + problem.message} component="button" type="button" size="sm" display="block" ta="left" onClick={() => editor.goTo(problem)}>
                    {problem.message}
                  </Anchor>
                ))}
              </Alert>
            )}
          </Stack>
        }
      />
      <SkipDialog opened={skipping} onClose={closeSkip} onSkip={skip} />
      <Drawer opened={reading} onClose={closeGuide} position="right" title="Guidelines" size="md">
        <Markdown remarkPlugins={[remarkGfm]}>{guidelines}</Markdown>
      </Drawer>
      <NearDrawer schema={schema} item={work.id} opened={likening} onClose={closeNear} />
      <Comments project={project} schema={schema.slug} item={work.id} opened={talking} onClose={closeTalk} />
    </div>
  )
}

/** Keeps drafts: in this browser at once, in the studio half a second after the last change. */
function useDraft(project: string, schema: LabelSchema, work: Work, user: string, number: number) {
  const [state, setState] = useState<'kept' | 'saving' | 'local'>('kept')
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const last = useRef(number)
  const item = work.id
  useEffect(() => {
    last.current = number
    setState('kept')
    return () => clearTimeout(timer.current)
  }, [item, number])
  useEffect(() => tidy(), [])
  const stop = useCallback(() => clearTimeout(timer.current), [])
  const change = useCallback(
    (result: Parameters<typeof regionsOf>[0]) => {
      last.current = stamp(last.current)
      const kept = { result, number: last.current }
      keepLocally(user, schema.id, item, kept)
      setState('saving')
      clearTimeout(timer.current)
      timer.current = setTimeout(() => {
        unwrap(api.PUT('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/draft', { params: { path: { project, label_schema: schema.slug, item } }, body: { result: regionsOf(result), number: kept.number } }))
          .then(() => setState('kept'))
          .catch(() => setState('local'))
      }, 500)
    },
    [project, schema.id, schema.slug, item, user],
  )
  return useMemo(() => ({ change, stop, state }), [change, stop, state])
}

function useOutbox(user: string, refused: Outbox['refused']): Outbox {
  const outbox = useMemo(
    () =>
      new Outbox(user, ({ project, schema, item, body }) =>
        unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/submit', { params: { path: { project, label_schema: schema, item } }, body: body as never })),
      ),
    [user],
  )
  useEffect(() => {
    outbox.refused = refused
  })
  useEffect(() => {
    void outbox.flush()
    return connection.subscribe(() => {
      if (connection.online) void outbox.flush()
    })
  }, [outbox])
  return outbox
}

/** What is not in the studio yet, said in words. */
function SaveState({ outbox, draft }: { outbox: Outbox; draft: 'kept' | 'saving' | 'local' }) {
  const waiting = useSyncExternalStore(outbox.subscribe, () => outbox.size)
  const words = waiting > 1 ? `${waiting} wait to be sent` : draft === 'local' ? 'kept in this browser' : draft === 'saving' ? 'saving…' : ''
  return (
    <Text size="xs" c="dimmed" visibleFrom="sm" role="status" miw={60} ta="right">
      {words}
    </Text>
  )
}
