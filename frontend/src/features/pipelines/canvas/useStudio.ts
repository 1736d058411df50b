/** The effects behind a pipeline page: the open session, the check of the graph, the statuses of its newest run. */
import { notifications } from '@mantine/notifications'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'

import type { Schemas } from '@/api/client'
import { useLive } from '@/api/events'
import { useMe } from '@/api/me'
import { colorOf } from '@/lib/people'
import { notifyUndo } from '@/ui/confirm'

import { Session, type SessionState } from '../document/session'
import { sameFlow } from '../graph/flow'
import { flowOf, same, type Graph, type Step } from '../graph/types'
import { checkGraph, latestRunQuery, runQuery } from '../queries'
import { Editor, type StepStatus } from './editor'

const CHECK_MS = 300
/** More where there are many: to check ten thousand steps takes the studio a second. */
const CHECK_STEP_MS = 0.1
const ACTIVE = new Set(['queued', 'running', 'waiting'])

export interface Studio {
  readonly session: Session
  readonly editor: Editor
}

/** Opens the pipeline's draft; a new one each time the address changes. */
export function useOpen(project: string, pipeline: string, writable: boolean | null): Studio | null {
  const [studio, setStudio] = useState<Studio | null>(null)
  useEffect(() => {
    if (writable === null) return
    const session = new Session(project, pipeline, writable)
    const editor = new Editor(session.draft, {
      refuse: (message) => notifications.show({ id: 'refused', message, color: 'red', autoClose: 6000, closeButtonProps: { 'aria-label': 'Close' } }),
      tell: (message, undo) => {
        if (undo) notifyUndo(message, () => Promise.resolve(undo()))
        else notifications.show({ message, closeButtonProps: { 'aria-label': 'Close' } })
      },
    })
    const prune = session.draft.subscribe(() => editor.prune())
    setStudio({ session, editor })
    return () => {
      prune()
      session.destroy()
      setStudio(null)
    }
  }, [project, pipeline, writable])
  return studio
}

const NO_SESSION: SessionState = { ready: false, mode: 'opening', save: 'loading', error: null, peers: [], conflict: null }

export function useSessionState(session: Session | undefined): SessionState {
  return useSyncExternalStore(
    (listener) => session?.subscribe(listener) ?? (() => undefined),
    () => session?.state ?? NO_SESSION,
  )
}

export function useGraphOf(editor: Editor | undefined): Graph | null {
  return useSyncExternalStore(
    (listener) => {
      if (!editor) return () => undefined
      const offs = [editor.subscribe(listener), editor.draft.subscribe(listener)]
      return () => offs.forEach((off) => off())
    },
    () => editor?.graph ?? null,
  )
}

/** Shows who we are and where we look; the others' selections appear on their steps. */
export function usePresence(studio: Studio | null, ready: boolean): void {
  const me = useMe()
  useEffect(() => {
    if (!studio || !ready || !me) return
    const { session, editor } = studio
    session.present({ user: { id: me.id, name: me.name || me.email, color: colorOf(me.id) } })
    let last = editor.state.steps
    const off = editor.subscribe(() => {
      if (editor.state.steps === last) return
      last = editor.state.steps
      session.present({ selection: [...last] })
    })
    const peers = session.subscribe(() => editor.set({ peers: session.state.peers }))
    return () => {
      off()
      peers()
    }
  }, [studio, ready, me])
}

function withoutPlaces(graph: Graph): string {
  return JSON.stringify([graph.parameters, ...Object.entries(graph.steps).map(([key, { position: _place, note: _note, ...counted }]) => [key, counted])])
}

/** Asks the studio what is wrong and which columns are known, a little after each change that matters. */
export function useCheck(project: string, editor: Editor | undefined, graph: Graph | null, ready: boolean): void {
  const last = useRef('')
  const client = useQueryClient()
  // A data set that was uploaded or frozen meanwhile may solve a problem.
  const [turn, setTurn] = useState(0)
  useLive('project', (event) => {
    if (event.type === 'dataset_changed' || event.type === 'model_changed' || event.type === 'endpoint_changed') {
      last.current = ''
      setTurn((now) => now + 1)
    }
  })
  useEffect(() => {
    if (!editor || !graph || !ready) return
    const text = withoutPlaces(graph)
    if (text === last.current) return
    const abort = new AbortController()
    editor.set({ checked: 'waiting' })
    const timer = setTimeout(() => {
      checkGraph(project, graph, abort.signal)
        .then((answer) => {
          last.current = text
          editor.set({ problems: answer.problems, columns: answer.schemas, checked: 'done', runProblems: [] })
        })
        .catch(() => {
          if (!abort.signal.aborted) editor.set({ checked: 'failed' })
        })
    }, CHECK_MS + CHECK_STEP_MS * Object.keys(graph.steps).length)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [project, editor, graph, ready, client, turn])
}

const bare = (value: unknown): unknown => (typeof value === 'string' ? value.replace(/@.*$/, '') : value)

/** Is this step still what the run ran? Data set versions are pinned in a run, so only their names are compared. */
function unchanged(now: Step | undefined, then: Schemas['StepIn'] | undefined): boolean {
  if (!now || !then || now.component !== then.component || !same(now.inputs, then.inputs ?? {}) || !sameFlow(now, flowOf(then))) return false
  const before = then.parameters ?? {}
  return [...new Set([...Object.keys(before), ...Object.keys(now.parameters)])].every((name) => same(bare(now.parameters[name]), bare(before[name])))
}

/** Puts the newest run's statuses on the steps: live while it runs, afterwards on the steps that are still the same. */
export function useRunStatus(project: string, pipeline: string, editor: Editor | undefined, graph: Graph | null) {
  const client = useQueryClient()
  const latest = useQuery({ ...latestRunQuery(project, pipeline), refetchInterval: (query) => (query.state.data && ACTIVE.has(query.state.data.status) ? 5000 : 60_000) })
  const run = latest.data ?? null
  const active = run !== null && ACTIVE.has(run.status)
  const detail = useQuery({ ...runQuery(project, run?.id ?? ''), enabled: run !== null, staleTime: active ? 0 : Infinity })
  const [live, setLive] = useState<{ run: string; steps: Record<string, Partial<StepStatus>> }>({ run: '', steps: {} })
  const again = useRef<ReturnType<typeof setTimeout>>(undefined)

  useLive('project', (event) => {
    if (event.type !== 'run_changed') return
    clearTimeout(again.current)
    again.current = setTimeout(() => {
      void client.invalidateQueries({ queryKey: latestRunQuery(project, pipeline).queryKey })
      if (run) void client.invalidateQueries({ queryKey: runQuery(project, run.id).queryKey })
    }, 250)
  })
  useEffect(() => () => clearTimeout(again.current), [])
  useLive(
    run ? `run:${run.id}` : null,
    (event) => {
      if (event.type !== 'step_run_changed' || !run) return
      setLive((now) => ({ run: run.id, steps: { ...(now.run === run.id ? now.steps : {}), [event.step]: { status: event.status, progress: event.progress, message: event.message } } }))
      if (event.status === 'failed' || event.status === 'skipped') void client.invalidateQueries({ queryKey: runQuery(project, run.id).queryKey })
    },
    { onReconnect: () => run && void client.invalidateQueries({ queryKey: runQuery(project, run.id).queryKey }) },
  )

  const status = useMemo(() => {
    const found: Record<string, StepStatus> = {}
    const data = detail.data
    if (!data || !graph || data.id !== run?.id) return found
    for (const stepRun of data.step_runs) {
      if (!active && !unchanged(graph.steps[stepRun.step], data.graph.steps[stepRun.step])) continue
      const newer = live.run === data.id && active ? live.steps[stepRun.step] : undefined
      found[stepRun.step] = { id: stepRun.id, run: data.number, gave: stepRun.outputs.length > 0, status: stepRun.status, progress: stepRun.progress, message: stepRun.message, skip_reason: stepRun.skip_reason, error: stepRun.error, ...newer }
    }
    return found
  }, [detail.data, graph, live, active, run])
  useEffect(() => {
    editor?.set({ status })
  }, [editor, status])
  return run
}
