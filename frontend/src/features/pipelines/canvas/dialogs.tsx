/** Publishing, YAML, comparing, and the choice when two drafts met. */
import { Button, FileButton, Group, Loader, Modal, Select, SimpleGrid, Stack, Tabs, Text, Textarea, Timeline } from '@mantine/core'
import { IconArrowsLeftRight, IconDownload, IconFileImport, IconGitCommit, IconMinus, IconPencil, IconPlugConnected, IconPlugConnectedX, IconPlus, type Icon } from '@tabler/icons-react'
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'

import type { Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { ago, plural } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { notifyDone } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'

import { diff, type Change, type ChangeKind } from '../graph/diff'
import type { Graph } from '../graph/types'
import { exportYaml, parseYaml, publishPipeline, versionQuery } from '../queries'
import type { SessionState } from '../document/session'
import { useEditor, useEditorState } from './hooks'

export type Version = Schemas['PipelineVersionBrief']

interface Shared {
  readonly project: string
  readonly pipeline: string
  readonly versions: readonly Version[]
  readonly draft: () => Graph
  readonly flush: () => Promise<void>
}

export function PublishDialog({ project, pipeline, versions, draft, flush }: Shared) {
  const editor = useEditor()
  const opened = useEditorState((state) => state.dialog?.name === 'publish')
  return (
    <Modal opened={opened} onClose={() => editor.open(null)} title={<Text fw={620}>Publish a version</Text>} size="lg">
      {opened && <Publish project={project} pipeline={pipeline} versions={versions} draft={draft} flush={flush} />}
    </Modal>
  )
}

function Publish({ project, pipeline, versions, draft, flush }: Shared) {
  const editor = useEditor()
  const client = useQueryClient()
  const catalog = useEditorState((state) => state.catalog)
  const errors = useEditorState((state) => state.problems.filter((problem) => problem.severity === 'error').length)
  const [note, setNote] = useState('')
  const latest = versions[0]
  const published = useQuery(versionQuery(project, pipeline, latest?.number))
  const changes = useMemo(() => (published.data ? diff(published.data.graph, draft(), catalog) : []), [published.data, draft, catalog])
  const meaning = changes.filter((change) => change.kind !== 'moved' && !(change.kind === 'details' && change.text.startsWith('Note')))
  const publish = useMutation({
    mutationFn: async () => {
      await flush()
      return publishPipeline(project, pipeline, note)
    },
    onSuccess: (version) => {
      void client.invalidateQueries({ queryKey: keys.pipelines(project) })
      void client.invalidateQueries({ queryKey: keys.catalog(project) })
      notifyDone(`Published as version ${version.number}.`)
      editor.announce(`Published as version ${version.number}.`)
      editor.open(null)
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        publish.mutate()
      }}
    >
      <Stack gap="md">
        <Text size="sm">
          {!latest
            ? 'A published version never changes: runs, models and colleagues can refer to it.'
            : !published.data
              ? `Comparing with version ${latest.number}…`
              : meaning.length === 0
                ? `Nothing that matters to a run differs from version ${latest.number}: publishing gives the same version.`
                : `${plural(meaning.length, 'change')} since version ${latest.number}.`}
        </Text>
        {meaning.length > 0 && <Changes changes={meaning} limit={8} />}
        {errors > 0 && (
          <Text size="sm" c="dimmed">
            It still has {plural(errors, 'problem')}. It can be published, but not run.
          </Text>
        )}
        <Textarea label="What changed" placeholder="Optional, for those who come later" autosize minRows={2} maxLength={2000} value={note} onChange={(event) => setNote(event.currentTarget.value)} data-autofocus />
        <ErrorNotice error={publish.error ?? published.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => editor.open(null)}>
            Cancel
          </Button>
          <Button type="submit" loading={publish.isPending} leftSection={<IconGitCommit size={16} aria-hidden />}>
            Publish
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

const MARKS: Record<ChangeKind, { icon: Icon; color: string }> = {
  added: { icon: IconPlus, color: 'green' },
  removed: { icon: IconMinus, color: 'red' },
  component: { icon: IconArrowsLeftRight, color: 'orange' },
  parameter: { icon: IconPencil, color: 'blue' },
  details: { icon: IconPencil, color: 'gray' },
  wired: { icon: IconPlugConnected, color: 'green' },
  unwired: { icon: IconPlugConnectedX, color: 'red' },
  moved: { icon: IconArrowsLeftRight, color: 'gray' },
}

export function Changes({ changes, limit = 200, onGo }: { changes: readonly Change[]; limit?: number; onGo?: (step: string) => void }) {
  return (
    <Timeline bulletSize={22} lineWidth={1} styles={{ item: { marginTop: 10, paddingLeft: 14 } }}>
      {changes.slice(0, limit).map((change, index) => {
        const { icon: Mark, color } = MARKS[change.kind]
        return (
          <Timeline.Item key={index} bullet={<Mark size={13} aria-hidden />} color={color}>
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              {onGo ? (
                <Button variant="transparent" size="compact-sm" p={0} h="auto" onClick={() => onGo(change.step)}>
                  {change.title}
                </Button>
              ) : (
                <Text span size="sm" fw={600}>
                  {change.title}
                </Text>
              )}
              : {change.text}
            </Text>
          </Timeline.Item>
        )
      })}
      {changes.length > limit && (
        <Timeline.Item>
          <Text size="sm" c="dimmed">
            and {changes.length - limit} more
          </Text>
        </Timeline.Item>
      )}
    </Timeline>
  )
}

const DRAFT = 'draft'

export function CompareDialog({ project, pipeline, versions, draft }: Shared) {
  const editor = useEditor()
  const opened = useEditorState((state) => state.dialog?.name === 'compare')
  return (
    <Modal opened={opened} onClose={() => editor.open(null)} title={<Text fw={620}>Compare</Text>} size="xl">
      {opened && <Compare project={project} pipeline={pipeline} versions={versions} draft={draft} />}
    </Modal>
  )
}

function Compare({ project, pipeline, versions, draft }: Omit<Shared, 'flush'>) {
  const editor = useEditor()
  const catalog = useEditorState((state) => state.catalog)
  const [from, setFrom] = useState(String(versions[0]?.number ?? DRAFT))
  const [to, setTo] = useState(DRAFT)
  const [before, after] = useQueries({ queries: [from, to].map((name) => versionQuery(project, pipeline, name === DRAFT ? undefined : Number(name))) })
  const graphOf = (name: string, version: typeof before): Graph | undefined => (name === DRAFT ? draft() : version?.data?.graph)
  const [old, current] = [graphOf(from, before), graphOf(to, after)]
  const changes = old && current ? diff(old, current, catalog) : null
  const error = before?.error ?? after?.error
  const names = [{ value: DRAFT, label: 'Draft' }, ...versions.map((version) => ({ value: String(version.number), label: `Version ${version.number} (${ago(version.created_at)})` }))]
  if (versions.length === 0) return <EmptyState compact icon={IconGitCommit} title="Nothing is published yet">Publish a version; from then on you see here what the draft changes.</EmptyState>
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <Select label="From" data={names} value={from} onChange={(value) => setFrom(value ?? DRAFT)} allowDeselect={false} />
        <Select label="To" data={names} value={to} onChange={(value) => setTo(value ?? DRAFT)} allowDeselect={false} />
      </SimpleGrid>
      {error ? (
        <ErrorNotice error={error} title="The versions could not be read" />
      ) : changes === null ? (
        <Loader size="sm" aria-label="Reading the versions" />
      ) : changes.length === 0 ? (
        <Text size="sm">The two are equal.</Text>
      ) : (
        <Changes
          changes={changes}
          onGo={(step) => {
            editor.open(null)
            editor.goTo(step, { centre: true })
          }}
        />
      )}
    </Stack>
  )
}

export function YamlDialog({ project, pipeline, name, version, flush }: Shared & { name: string; version: number | null }) {
  const editor = useEditor()
  const dialog = useEditorState((state) => (state.dialog?.name === 'yaml' ? state.dialog : null))
  const readOnly = useEditorState((state) => state.readOnly)
  return (
    <Modal opened={dialog !== null} onClose={() => editor.open(null)} title={<Text fw={620}>YAML</Text>} size="xl">
      {dialog && (
        <Tabs defaultValue={dialog.tab} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="export">This pipeline</Tabs.Tab>
            {!readOnly && <Tabs.Tab value="import">Replace it</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="export">
            <ExportYaml project={project} pipeline={pipeline} name={name} version={version} flush={flush} />
          </Tabs.Panel>
          <Tabs.Panel value="import">
            <ImportYaml project={project} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Modal>
  )
}

function ExportYaml({ project, pipeline, name, version, flush }: { project: string; pipeline: string; name: string; version: number | null; flush: () => Promise<void> }) {
  const yaml = useQuery({
    queryKey: [...keys.pipelines(project), 'yaml', pipeline, version],
    queryFn: async () => {
      await flush()
      return exportYaml(project, pipeline, version ?? undefined)
    },
    staleTime: 0,
    gcTime: 0,
  })
  if (yaml.error) return <ErrorNotice error={yaml.error} onRetry={() => void yaml.refetch()} />
  const save = () => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([yaml.data?.yaml ?? ''], { type: 'application/yaml' }))
    link.download = `${pipeline}.yaml`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  }
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {version === null ? `The draft of “${name}”` : `Version ${version} of “${name}”`}. The same graph always gives the same text.
        </Text>
        <Button size="xs" variant="default" leftSection={<IconDownload size={15} aria-hidden />} onClick={save} disabled={!yaml.data}>
          Download
        </Button>
      </Group>
      <div style={{ maxHeight: '56vh', overflow: 'auto' }}>
        <CodeSnippet code={yaml.data?.yaml ?? '…'} label="Copy YAML" />
      </div>
    </Stack>
  )
}

function ImportYaml({ project }: { project: string }) {
  const editor = useEditor()
  const [text, setText] = useState('')
  const read = useMutation({
    mutationFn: () => parseYaml(project, text),
    onSuccess: (graph) => {
      editor.change(graph, 'Replaced the pipeline from YAML')
      editor.open(null)
      requestAnimationFrame(() => editor.fit())
    },
  })
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        The draft is replaced by what the YAML says. Undo brings it back.
      </Text>
      <Textarea aria-label="YAML" autosize minRows={12} maxRows={22} value={text} onChange={(event) => setText(event.currentTarget.value)} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12.5 } }} spellCheck={false} data-autofocus />
      <ErrorNotice error={read.error} />
      <Group justify="space-between">
        <FileButton accept=".yaml,.yml,text/yaml,application/yaml" onChange={(file) => void file?.text().then(setText)}>
          {(props) => (
            <Button {...props} variant="default" leftSection={<IconFileImport size={16} aria-hidden />}>
              Choose a file
            </Button>
          )}
        </FileButton>
        <Button disabled={text.trim() === ''} loading={read.isPending} onClick={() => read.mutate()}>
          Replace the draft
        </Button>
      </Group>
    </Stack>
  )
}

export function ConflictDialog({ conflict, onChoose }: { conflict: SessionState['conflict']; onChoose: (choice: 'both' | 'mine' | 'theirs') => void }) {
  const editor = useEditor()
  const catalog = useEditorState((state) => state.catalog)
  const changes = useMemo(() => (conflict ? diff(conflict.theirs, editor.draft.getGraph(), catalog).filter((change) => change.kind !== 'moved') : []), [conflict, editor, catalog])
  return (
    <Modal opened={conflict !== null} onClose={() => undefined} withCloseButton={false} closeOnEscape={false} closeOnClickOutside={false} title={<Text fw={620}>The draft was changed elsewhere</Text>} size="lg">
      <Stack gap="md">
        <Text size="sm">Somebody saved this pipeline while you were editing it without a live connection. Nothing is lost yet. What is different in yours:</Text>
        <Changes changes={changes} limit={8} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => onChoose('theirs')}>
            Take theirs
          </Button>
          <Button variant="default" onClick={() => onChoose('mine')}>
            Keep mine
          </Button>
          <Button onClick={() => onChoose('both')} data-autofocus>
            Combine both
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
