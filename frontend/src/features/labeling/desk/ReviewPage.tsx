/** A reviewer's desk: what somebody else said of an item, to accept, mend or send back. */
import { ActionIcon, Button, Center, Group, Kbd, Loader, Modal, Stack, Text, Textarea, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconArrowLeft, IconCheck, IconMessage, IconMoodSmile, IconRefresh, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useHere } from '@/api/events'
import { useProjectSlug } from '@/api/me'
import { ago } from '@/lib/format'
import { useCommands } from '@/ui/commands'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useTitle } from '@/ui/PageHeader'
import { Editor, equalResults, problems as problemsOf, useEditor, useEditorState, type LabelConfig } from '../editor'
import { configOf, regionsOf, resultOf, schemaQuery, useRefresh, wordingsQuery, type LabelSchema } from '../data'
import { Comments } from './Comments'
import classes from './desk.module.css'

type Task = Schemas['ReviewWorkOut']

export function ReviewPage() {
  const project = useProjectSlug()
  const { schema: slug = '' } = useParams({ strict: false })
  const schema = useQuery(schemaQuery(project, slug))
  const wordings = useQuery(wordingsQuery(project, slug))
  useTitle('Review', schema.data?.name)
  const [task, setTask] = useState<Task | null>(null)
  const [over, setOver] = useState<number | null>(null)
  const [error, setError] = useState<unknown>(null)
  const ready = useRef<Promise<Schemas['NextReviewOut']> | null>(null)

  const ask = useCallback((holding: string[]) => unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/review/next', { params: { path: { project, label_schema: slug } }, body: { holding } })), [project, slug])
  const show = useCallback(
    async (found: Promise<Schemas['NextReviewOut']>) => {
      try {
        const { work, waiting } = await found
        setError(null)
        setTask(work)
        setOver(work ? null : waiting)
        if (work) {
          ready.current = ask([work.annotation.id])
          ready.current.catch(() => undefined)
        }
      } catch (failure) {
        setError(failure)
      }
    },
    [ask],
  )
  useEffect(() => void show(ask([])), [ask, show])
  const next = useCallback(() => {
    const prepared = ready.current
    ready.current = null
    void show((prepared ?? ask([])).then((answer) => (answer.work ? answer : ask([]))).catch(() => ask([])))
  }, [ask, show])

  useHere(task && { label_schema: slug, item: task.item.id, doing: 'reviewing' })
  const newest = wordings.data?.[0]
  const failed = schema.error ?? wordings.error ?? error
  if (failed) {
    return (
      <Stack p="lg">
        <ErrorNotice error={failed} onRetry={next} />
      </Stack>
    )
  }
  if (over !== null && schema.data) {
    return (
      <Center h="100%">
        <EmptyState
          page
          icon={IconMoodSmile}
          title="Nothing to review"
          actions={
            <>
              <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} onClick={next}>
                Look again
              </Button>
              <Button renderRoot={(props) => <Link to="/p/$project/labels/$schema" params={{ project, schema: slug }} {...props} />}>To the overview</Button>
            </>
          }
        >
          {over > 0 ? `${over === 1 ? 'One annotation waits' : `${over} annotations wait`} for another reviewer: nobody reviews their own work, and what somebody looks at is theirs for a while.` : 'What annotators submit comes here.'}
        </EmptyState>
      </Center>
    )
  }
  if (!schema.data || !newest || !task) {
    return (
      <Center h="100%">
        <Loader aria-label="The next annotation is on its way" />
      </Center>
    )
  }
  return <Desk project={project} schema={schema.data} config={configOf(newest.config)} task={task} next={next} />
}

function Desk({ project, schema, config, task, next }: { project: string; schema: LabelSchema; config: LabelConfig; task: Task; next: () => void }) {
  const refresh = useRefresh(project)
  const [rejecting, { open: openReject, close: closeReject }] = useDisclosure(false)
  const [talking, { open: openTalk, close: closeTalk }] = useDisclosure(false)
  const [comment, setComment] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const { annotation, item } = task
  const editor = useEditor({ key: `${annotation.id}:${annotation.version}`, config, item, result: resultOf(annotation.result) })
  const result = useEditorState(editor, (state) => state.result)
  const changed = !equalResults(result, resultOf(annotation.result))
  const lacking = problemsOf(config, result)

  const say = useCallback(
    async (verdict: 'accepted' | 'fixed' | 'rejected', words: string) => {
      setBusy(true)
      setError(null)
      try {
        await unwrap(
          api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/annotations/{annotation}/review', {
            params: { path: { project, label_schema: schema.slug, annotation: annotation.id } },
            body: { verdict, comment: words, version: annotation.version, result: verdict === 'fixed' ? regionsOf(editor.state.result) : null },
          }),
        )
        setComment('')
        closeReject()
        next()
        void refresh()
      } catch (failure) {
        setError(failure)
      } finally {
        setBusy(false)
      }
    },
    [annotation, closeReject, editor, next, project, refresh, schema.slug],
  )
  const accept = useCallback(() => {
    if (changed && lacking[0]) editor.goTo(lacking[0])
    else void say(changed ? 'fixed' : 'accepted', '')
  }, [changed, editor, lacking, say])

  useCommands(
    () => [
      { id: 'review.accept', label: changed ? 'Accept with changes' : 'Accept', group: 'Review', shortcut: 'mod+Enter', icon: IconCheck, run: accept },
      { id: 'review.reject', label: 'Send back…', group: 'Review', shortcut: 'mod+.', icon: IconX, run: openReject },
      { id: 'review.comments', label: 'Comments', group: 'Review', shortcut: 'mod+m', icon: IconMessage, run: openTalk },
    ],
    [accept, changed, openReject, openTalk],
  )
  return (
    <div className={classes.page} data-annotation={annotation.id}>
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
              Review: {schema.name}
            </Text>
          </Group>
        }
        toolbarEnd={
          <Group gap={6} wrap="nowrap">
            <Button variant="default" size="xs" onClick={openReject} title="Ctrl+.">
              Send back
            </Button>
            <Button size="xs" color={changed ? undefined : 'green'} loading={busy} onClick={accept} leftSection={<IconCheck size={15} aria-hidden />} rightSection={<Kbd size="xs" visibleFrom="md" aria-hidden>Ctrl ↵</Kbd>}>
              {changed ? 'Accept with changes' : 'Accept'}
            </Button>
          </Group>
        }
        panelStart={
          <Stack gap="xs" px="sm" pt="xs">
            <Group justify="space-between" wrap="nowrap" gap="xs">
              <div>
                <Text size="sm" fw={600}>
                  {annotation.authors.map((one) => one.name || one.email).join(', ') || annotation.author_name || 'Somebody'}
                </Text>
                <Text size="xs" c="dimmed">
                  {ago(annotation.updated_at)}
                  {annotation.version > 1 ? ` · version ${annotation.version}` : ''}
                </Text>
              </div>
              <Tooltip label="Comments (Ctrl+M)">
                <ActionIcon variant="subtle" size={28} aria-label={`Comments (${item.comments})`} onClick={openTalk}>
                  <IconMessage size={16} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </Group>
            {annotation.reviews.map((review) => (
              <Text key={review.id} size="xs" c="dimmed">
                {review.reviewer?.name || 'A reviewer'}: {review.verdict}
                {review.comment ? ` – “${review.comment}”` : ''}
              </Text>
            ))}
            <ErrorNotice error={rejecting ? null : error} />
          </Stack>
        }
      />
      <Modal opened={rejecting} onClose={closeReject} title="Send back">
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void say('rejected', comment)
          }}
        >
          <Stack>
            <Textarea data-autofocus label="What is wrong" description="The annotator reads this and tries again." autosize minRows={2} maxLength={5000} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
            <ErrorNotice error={error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={closeReject}>
                Cancel
              </Button>
              <Button type="submit" color="red" loading={busy} disabled={!comment.trim()}>
                Send back
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
      <Comments project={project} schema={schema.slug} item={item.id} opened={talking} onClose={closeTalk} />
    </div>
  )
}
