/** The bar above the canvas: what this is, whether it is saved, who else is here, and what can be done with it. */
import { ActionIcon, Avatar, Button, Group, Indicator, Menu, Text, Tooltip } from '@mantine/core'
import {
  IconAlertTriangle,
  IconCheck,
  IconChevronDown,
  IconCloudOff,
  IconDots,
  IconGitCommit,
  IconHistory,
  IconLoader2,
  IconPlayerPlayFilled,
  IconPlus,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import type { Schemas } from '@/api/client'
import { ago } from '@/lib/format'
import { StatusBadge } from '@/ui/StatusBadge'

import { actionsAt } from '../actions'
import type { SaveState, SessionState } from '../document/session'
import canvas from './canvas.module.css'
import type { Version } from './dialogs'
import { useEditor, useEditorState } from './hooks'
import { Keys } from './Keys'
import classes from './panels.module.css'

const SAVE: Record<SaveState, { text: string; hint: string }> = {
  loading: { text: 'Opening…', hint: 'The draft is being opened.' },
  saved: { text: 'Saved', hint: 'Every change is saved by itself.' },
  saving: { text: 'Saving…', hint: 'Every change is saved by itself.' },
  offline: { text: 'Not saved yet', hint: 'The studio cannot be reached. Your changes are kept in this browser and saved as soon as it answers.' },
  conflict: { text: 'Two drafts', hint: 'The draft was changed elsewhere; choose what to keep.' },
  failed: { text: 'Not saved', hint: 'The studio refused to save.' },
}

export function TopBar({
  project,
  name,
  onRename,
  session,
  versions,
  shown,
  unpublished,
  run,
  narrow,
  canRun,
  onShowVersion,
}: {
  project: string
  name: string
  onRename: ((name: string) => void) | null
  session: SessionState
  versions: readonly Version[]
  shown: number | null
  /** Null while the newest version is being read. */
  unpublished: boolean | null
  run: Schemas['RunSummary'] | null
  narrow: boolean
  canRun: boolean
  onShowVersion: (number: number | null) => void
}) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const problems = useEditorState((state) => state.problems.length + state.runProblems.length)
  const severe = useEditorState((state) => state.runProblems.length > 0 || state.problems.some((problem) => problem.severity === 'error'))
  const [text, setText] = useState(name)
  useEffect(() => setText(name), [name])
  const save = SAVE[session.save]
  const latest = versions[0]
  return (
    <header className={classes.topBar}>
      <div className={classes.topName}>
        <h1 className="visually-hidden">{name}</h1>
        <input
          className={classes.titleInput}
          aria-label="Name of the pipeline"
          value={text}
          maxLength={120}
          readOnly={!onRename}
          onChange={(event) => setText(event.currentTarget.value)}
          onBlur={() => {
            const next = text.trim()
            if (next && next !== name) onRename?.(next)
            else setText(name)
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur()
            if (event.key === 'Escape') {
              setText(name)
              requestAnimationFrame(() => (event.target as HTMLInputElement).blur())
            }
          }}
        />
        {shown === null && (
          <Tooltip label={session.error ? `${save.hint} ${session.error.message}` : save.hint} multiline maw={320}>
            <span className={classes.save} data-save={session.save} role="status">
              {session.save === 'saved' ? <IconCheck size={15} aria-hidden /> : session.save === 'saving' || session.save === 'loading' ? <IconLoader2 size={15} className={canvas.spin} aria-hidden /> : <IconCloudOff size={15} aria-hidden />}
              <span className={narrow ? 'visually-hidden' : undefined}>{save.text}</span>
            </span>
          </Tooltip>
        )}
      </div>
      <Group gap={8} wrap="nowrap">
        {!narrow && session.peers.length > 0 && (
          <Avatar.Group spacing={6}>
            {session.peers.slice(0, 5).map((peer) => (
              <Tooltip key={peer.client} label={`${peer.name} is here too`}>
                <Avatar
                  size={28}
                  radius="xl"
                  name={peer.name}
                  styles={{ root: { border: `2px solid ${peer.color}` } }}
                  {...(peer.selection[0] ? { component: 'button' as const, onClick: () => editor.goTo(peer.selection[0] ?? '', { centre: true }), 'aria-label': `Go to where ${peer.name} is` } : {})}
                />
              </Tooltip>
            ))}
          </Avatar.Group>
        )}
        {!narrow && run && (
          <Tooltip label={`Run ${run.number}, ${ago(run.created_at)}: open it`}>
            <Link to="/p/$project/runs/$run" params={{ project, run: run.id }} aria-label={`Run ${run.number}: ${run.status}`} style={{ textDecoration: 'none' }}>
              <StatusBadge status={run.status} word={`Run ${run.number}`} size="lg" />
            </Link>
          </Tooltip>
        )}
        <Tooltip label={problems === 0 ? 'No problems' : `${problems} ${problems === 1 ? 'problem' : 'problems'}`}>
          <Button
            size="xs"
            variant={problems > 0 ? 'light' : 'subtle'}
            color={problems === 0 ? 'gray' : severe ? 'red' : 'yellow'}
            px={8}
            leftSection={problems === 0 ? <IconCheck size={15} aria-hidden /> : <IconAlertTriangle size={15} aria-hidden />}
            onClick={() => editor.set({ problemsOpen: !editor.state.problemsOpen })}
            aria-label={`${problems} problems`}
          >
            {problems}
          </Button>
        </Tooltip>
        <Menu position="bottom-end" width={320}>
          <Menu.Target>
            {narrow ? (
              <ActionIcon aria-label="Versions" variant="default">
                <IconHistory size={17} aria-hidden />
              </ActionIcon>
            ) : (
              <Button size="xs" variant="default" rightSection={<IconChevronDown size={14} aria-hidden />} leftSection={<IconHistory size={15} aria-hidden />}>
                {shown !== null ? `Version ${shown}` : latest && unpublished !== null ? (unpublished ? `Draft after ${latest.number}` : `Version ${latest.number}`) : 'Draft'}
              </Button>
            )}
          </Menu.Target>
          <Menu.Dropdown mah={420} style={{ overflowY: 'auto' }}>
            <Menu.Item leftSection={shown === null ? <IconCheck size={15} aria-hidden /> : <span style={{ width: 15 }} />} onClick={() => onShowVersion(null)}>
              Draft
              {latest && unpublished === false && (
                <Text size="xs" c="dimmed">
                  The same as version {latest.number}
                </Text>
              )}
            </Menu.Item>
            {versions.length > 0 && <Menu.Divider />}
            {versions.length === 0 && <Menu.Label>Nothing is published yet</Menu.Label>}
            {versions.map((version) => (
              <Menu.Item key={version.number} leftSection={shown === version.number ? <IconCheck size={15} aria-hidden /> : <span style={{ width: 15 }} />} onClick={() => onShowVersion(version.number)}>
                Version {version.number}
                <Text size="xs" c="dimmed" lineClamp={2}>
                  {ago(version.created_at)}
                  {version.created_by ? ` by ${version.created_by.name || version.created_by.email}` : ''}
                  {version.note ? ` · ${version.note}` : ''}
                </Text>
              </Menu.Item>
            ))}
            {versions.length > 0 && (
              <>
                <Menu.Divider />
                <Menu.Item onClick={() => editor.open({ name: 'compare' })}>Compare versions…</Menu.Item>
              </>
            )}
          </Menu.Dropdown>
        </Menu>
        <Menu position="bottom-end" width={300}>
          <Menu.Target>
            <ActionIcon aria-label="More" variant="default">
              <IconDots size={17} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {actionsAt('more').map((action) => (
              <Menu.Item key={action.id} leftSection={<action.icon size={16} aria-hidden />} rightSection={<Keys keys={action.keys[0]} />} disabled={!action.available(editor)} onClick={() => action.run(editor)}>
                {action.label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        {!narrow && !readOnly && (
          <Indicator disabled={unpublished !== true || versions.length === 0} size={8} offset={3} color="yellow">
            <Button size="xs" variant="default" leftSection={<IconGitCommit size={15} aria-hidden />} onClick={() => editor.open({ name: 'publish' })}>
              Publish
            </Button>
          </Indicator>
        )}
        {canRun && (
          <Button size="xs" leftSection={<IconPlayerPlayFilled size={14} aria-hidden />} onClick={() => editor.open({ name: 'run' })}>
            Run
          </Button>
        )}
      </Group>
    </header>
  )
}

/** Floats over the canvas: undo, tidy up, zoom. On a narrow page also the way to the palette. */
export function ToolBar({ narrow, onPalette }: { narrow: boolean; onPalette: () => void }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const [, redraw] = useState(0)
  useEffect(() => {
    const offs = [editor.subscribe(() => redraw((turn) => turn + 1)), editor.draft.subscribe(() => redraw((turn) => turn + 1))]
    return () => offs.forEach((off) => off())
  }, [editor])
  const actions = actionsAt('toolbar').filter((action) => !narrow || !action.id.startsWith('pipeline.zoom'))
  return (
    <div className={classes.tools} role="toolbar" aria-label="Canvas">
      {!readOnly && (
        <Tooltip label={narrow ? 'Components' : 'Add a step'}>
          <ActionIcon size={34} variant="light" color="water" aria-label={narrow ? 'Components' : 'Add a step'} onClick={() => (narrow ? onPalette() : editor.open({ name: 'add' }))}>
            <IconPlus size={19} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
      {!readOnly && <span className={classes.divider} />}
      {actions.map((action) => {
        const label = action.id === 'pipeline.undo' && editor.draft.undoLabel ? `Undo: ${editor.draft.undoLabel}` : action.id === 'pipeline.redo' && editor.draft.redoLabel ? `Redo: ${editor.draft.redoLabel}` : action.label
        return (
          <Tooltip
            key={action.id}
            label={
              <Group gap={8} wrap="nowrap">
                {label} <Keys keys={action.keys[0]} />
              </Group>
            }
          >
            {/* aria-disabled instead of disabled: the tip still tells what it is. */}
            <ActionIcon size={34} aria-label={label} style={action.available(editor) ? undefined : { opacity: 0.4, cursor: 'default' }} aria-disabled={!action.available(editor)} onClick={() => action.available(editor) && action.run(editor)}>
              <action.icon size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )
      })}
    </div>
  )
}
