/** Writing a code step: text, problems, preview, versions. What is typed and not published is kept in this browser. */
import { Alert, Anchor, Badge, Button, Group, Loader, Select, Text, TextInput } from '@mantine/core'
import { IconCheck, IconGitCommit, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'

import { keys } from '@/api/keys'
import { ago, plural } from '@/lib/format'
import { notifyDone, notifyError, notifyUndo } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'

import { useEditor, useEditorState } from '../canvas/hooks'
import * as edit from '../graph/edit'
import classes from './code.module.css'
import { Preview } from './Preview'
import { codeKey, codeVersionQuery, codeVersionsQuery, createCode, deleteCode, publishCode, restoreCode, wordsQuery, type CodeVersion } from './queries'
import { STARTERS } from './starters'
import { TextEditor } from './TextEditor'
import { useCodeCheck } from './useCodeCheck'

export interface CodeStudioProps {
  readonly project: string
  /** Null: a new one. */
  readonly code: { slug: string; version: number } | null
  /** The step that is to use what is published; null: a new step is added. */
  readonly step: string | null
  readonly onClose: () => void
}

export default function CodeStudio(props: CodeStudioProps) {
  const { project, code } = props
  const found = useQuery({ ...codeVersionQuery(project, code?.slug ?? '', code?.version ?? 0), enabled: code !== null })
  if (found.error) return <ErrorNotice error={found.error} title="This code could not be opened" />
  if (code && !found.data) return <Loader size="sm" aria-label="Opening the code" />
  return <Body {...props} opened={found.data ?? null} />
}

/** What was typed and not published, by project and code. */
function keeper(project: string, slug: string) {
  const key = `headrace.code.${project}.${slug}`
  return {
    read: (): string | null => {
      try {
        return localStorage.getItem(key)
      } catch {
        return null // a browser that keeps nothing
      }
    },
    write: (text: string | null) => {
      try {
        if (text === null) localStorage.removeItem(key)
        else localStorage.setItem(key, text)
      } catch {
        // As above; or it is full: the text in the editor is still there.
      }
    },
  }
}

const FIRST = STARTERS[0]?.text ?? ''

function Body({ project, code, step, onClose, opened }: CodeStudioProps & { opened: CodeVersion | null }) {
  const editor = useEditor()
  const client = useQueryClient()
  const readOnly = useEditorState((state) => state.readOnly)
  const kept = useMemo(() => keeper(project, code?.slug ?? 'new'), [project, code])
  const [base, setBase] = useState<CodeVersion | null>(opened)
  const original = base?.source ?? null
  const [text, setText] = useState(() => (readOnly ? null : kept.read()) ?? opened?.source ?? FIRST)
  const [from, setFrom] = useState('opened')
  const [restored, setRestored] = useState(() => !readOnly && kept.read() !== null && kept.read() !== opened?.source)
  const [name, setName] = useState('')
  const [go, setGo] = useState<{ line: number; turn: number } | null>(null)
  const words = useQuery(wordsQuery(project))
  const versions = useQuery({ ...codeVersionsQuery(project, code?.slug ?? ''), enabled: code !== null })
  const check = useCodeCheck(project, text, !readOnly)
  const current = check.about === text
  const right = current && !check.error && check.problems.length === 0
  const problems = useMemo(() => (current ? check.problems : []), [current, check.problems])
  const component = readOnly ? (base?.component ?? null) : check.component

  const change = useCallback(
    (next: string) => {
      setText(next)
      kept.write(next === original ? null : next)
    },
    [kept, original],
  )
  const begin = (next: string, why: string) => {
    setFrom(`${why}:${Date.now()}`)
    setRestored(false)
    setText(next)
    kept.write(null)
  }
  const publish = useMutation({
    mutationFn: () => (code ? publishCode(project, code.slug, text) : createCode(project, name.trim() || (component?.title ?? 'Code'), text)),
    onSuccess: (made) => {
      kept.write(null)
      const { component: one } = made
      editor.set({ catalog: { ...editor.catalog, components: new Map([...editor.catalog.components, [one.name, one]]) } })
      if (step) editor.change(edit.setComponent(editor.graph, step, one), `Changed ${editor.title(step)} to version ${made.number}`)
      else editor.add(one, { end: editor.naturalEnd(one) })
      void client.invalidateQueries({ queryKey: codeKey(project) })
      notifyDone(`Published as version ${made.number}.`)
      onClose()
    },
  })
  const show = useMutation({
    mutationFn: (number: number) => client.fetchQuery(codeVersionQuery(project, code?.slug ?? '', number)),
    onSuccess: (version) => {
      setBase(version)
      begin(version.source, `version ${version.number}`)
    },
    onError: notifyError,
  })
  const remove = async () => {
    if (!code) return
    const again = () => Promise.all([client.invalidateQueries({ queryKey: codeKey(project) }), client.invalidateQueries({ queryKey: keys.catalog(project) })])
    try {
      await deleteCode(project, code.slug)
      await again()
      onClose()
      notifyUndo(`Deleted the code “${code.slug}”.`, async () => {
        await restoreCode(project, code.slug)
        await again()
      })
    } catch (error) {
      notifyError(error)
    }
  }
  const same = base !== null && text === base.source
  const used = step ? editor.graph.steps[step]?.component : undefined

  return (
    <div className={classes.studio}>
      <Group gap="sm" align="flex-end">
        {!code && (
          <>
            <TextInput label="Name" placeholder={component?.title ?? 'What it does'} value={name} maxLength={120} onChange={(event) => setName(event.currentTarget.value)} flex="1 1 220px" data-autofocus />
            <Select label="Start from" data={STARTERS.map((starter) => ({ value: starter.name, label: starter.title }))} value={STARTERS.find((starter) => starter.text === text)?.name ?? null} placeholder="Your own text" allowDeselect={false} onChange={(value) => begin(STARTERS.find((starter) => starter.name === value)?.text ?? FIRST, value ?? '')} flex="0 1 220px" />
          </>
        )}
        {code && versions.data && (
          <Select label="Version" data={versions.data.map((one) => ({ value: String(one.number), label: `Version ${one.number} · ${ago(one.created_at)}` }))} value={base ? String(base.number) : null} allowDeselect={false} onChange={(value) => value && show.mutate(Number(value))} flex="0 1 260px" miw={220} />
        )}
        {code && (
          <Badge variant="default" tt="none" ff="monospace" fw={500} mb={8}>
            code:{code.slug}@{base?.number ?? code.version}
          </Badge>
        )}
      </Group>
      <div className={classes.body}>
        <div className={classes.left}>
          {restored && (
            <Alert color="blue" py={6} radius={0}>
              <Group justify="space-between" gap="xs">
                <Text size="sm">What you typed last time and did not publish is here again.</Text>
                <Anchor component="button" type="button" size="sm" onClick={() => begin(opened?.source ?? FIRST, 'discarded')}>
                  Discard it
                </Anchor>
              </Group>
            </Alert>
          )}
          <TextEditor from={from} text={text} readOnly={readOnly} words={words.data ?? []} problems={problems} go={go} onChange={change} />
          {problems.length > 0 && (
            <div className={classes.problems} role="region" aria-label="Problems of the code">
              {problems.map((problem, index) => {
                const told = (
                  <>
                    <span className={classes.line}>{problem.line > 0 ? `Line ${problem.line}` : 'All of it'}</span>
                    <span>
                      {problem.message} {problem.hint && <Text span inherit c="dimmed">{problem.hint}</Text>}
                    </span>
                  </>
                )
                return problem.line > 0 ? (
                  <button key={index} type="button" className={classes.problem} onClick={() => setGo({ line: problem.line, turn: (go?.turn ?? 0) + 1 })}>
                    {told}
                  </button>
                ) : (
                  <div key={index} className={classes.problem}>
                    {told}
                  </div>
                )
              })}
            </div>
          )}
        </div>
        <div className={classes.preview} role="region" aria-label="Preview of the step">
          <Preview component={component} stale={!right && !readOnly} />
        </div>
      </div>
      <div>
        <ErrorNotice error={publish.error ?? (current ? check.error : null)} />
        <Group justify="space-between" gap="xs">
          <Group gap={6} role="status">
            {readOnly ? (
              <Text size="sm" c="dimmed">
                You may look at this code, but not change it.
              </Text>
            ) : !current ? (
              <>
                <Loader size={14} />
                <Text size="sm" c="dimmed">
                  Looking at it…
                </Text>
              </>
            ) : right ? (
              <>
                <IconCheck size={16} color="var(--mantine-color-green-text)" aria-hidden />
                <Text size="sm">It can be a step.</Text>
              </>
            ) : (
              problems.length > 0 && <Text size="sm">{plural(problems.length, 'problem')}</Text>
            )}
          </Group>
          {!readOnly && (
            <Group gap="xs">
              {code && (
                <Button variant="subtle" color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void remove()}>
                  Delete
                </Button>
              )}
              <Button variant="default" onClick={onClose}>
                {same || !code ? 'Close' : 'Close without publishing'}
              </Button>
              <Button disabled={!right || (same && used === base?.component.name)} loading={publish.isPending} leftSection={<IconGitCommit size={16} aria-hidden />} onClick={() => publish.mutate()}>
                {!code ? 'Publish and add' : same ? `Use version ${base.number}` : 'Publish a version'}
              </Button>
            </Group>
          )}
        </Group>
      </div>
    </div>
  )
}
