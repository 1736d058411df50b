/** What the run pages ask for, and how live events keep it fresh. */
import { infiniteQueryOptions, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { append, applyEvent, ended, type Line, type Point, type Run } from './live'

export type RunFilters = { status?: Schemas['RunSummary']['status']; pipeline?: string; search?: string; sort?: string }

export const runsQuery = (project: string, filters: RunFilters) =>
  infiniteQueryOptions({
    queryKey: [...keys.runs(project), 'list', filters],
    queryFn: ({ pageParam }) =>
      unwrap(api.GET('/api/v1/projects/{project}/runs', { params: { path: { project }, query: { ...filters, cursor: pageParam, limit: 100 } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  })

export const runQuery = (project: string, run: string) =>
  queryOptions({
    queryKey: [...keys.runs(project), run],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs/{run_id}', { params: { path: { project, run_id: run } } })),
    // A safety net should a word get lost; the socket is what keeps the page fresh.
    refetchInterval: (query) => (query.state.data && ended(query.state.data.status) ? false : 5000),
  })

export const catalogQuery = (project: string) =>
  queryOptions({
    queryKey: keys.catalog(project),
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/catalog', { params: { path: { project } } })),
    staleTime: 10 * 60_000,
  })

/** One run, kept live: statuses come with the socket; times and outputs are asked for when a status changed. */
export function useRun(project: string, id: string) {
  const client = useQueryClient()
  const options = runQuery(project, id)
  const query = useQuery(options)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  useLive(`run:${id}`, (event) => {
    const shown = client.getQueryData(options.queryKey)
    if (!shown) return
    const { run, stale } = applyEvent(shown, event)
    if (run !== shown) client.setQueryData(options.queryKey, run)
    if (stale) {
      // Many steps may end at once: one question for all of them.
      clearTimeout(timer.current)
      timer.current = setTimeout(() => void client.invalidateQueries({ queryKey: options.queryKey }), 150)
    }
  })
  return query
}

/** The list's runs move on as their events come; a run that is not in the list makes it be asked again. */
export function useRunsLive(project: string, visible: boolean) {
  const client = useQueryClient()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  useLive(visible ? 'project' : null, (event) => {
    if (event.type !== 'run_changed') return
    clearTimeout(timer.current)
    timer.current = setTimeout(() => void client.invalidateQueries({ queryKey: [...keys.runs(project), 'list'] }), 400)
  })
}

/** Metric points of a run: what was logged so far over HTTP, the rest as it comes. */
export function useMetrics(project: string, run: Run | undefined): { points: readonly Point[]; loading: boolean; error: unknown } {
  const id = run?.id
  const [points, setPoints] = useState<readonly Point[]>([])
  const [state, setState] = useState<{ loading: boolean; error: unknown }>({ loading: true, error: null })
  const last = useRef(0)
  const load = useCallback(async () => {
    if (!id) return
    try {
      const answer = await unwrap(
        api.GET('/api/v1/projects/{project}/runs/{run_id}/metrics', { params: { path: { project, run_id: id }, query: { after: last.current } } }),
      )
      last.current = Math.max(last.current, answer.last)
      setPoints((known) => append(known, answer.points))
      setState({ loading: false, error: null })
    } catch (error) {
      setState({ loading: false, error })
    }
  }, [project, id])
  useEffect(() => {
    last.current = 0
    setPoints([])
    void load()
  }, [load])
  useLive(
    id ? `run:${id}` : null,
    (event) => {
      if (event.type === 'metrics_logged') setPoints((known) => append(known, event.points))
    },
    { onReconnect: () => void load() },
  )
  // What the socket lost between the last points and the end is asked for once.
  const done = run ? ended(run.status) : false
  useEffect(() => {
    if (done) void load()
  }, [done, load])
  return { points, ...state }
}

const KEPT_LINES = 50_000

/** Log lines, followed live. `search` is asked of the server, so it finds what is not loaded. */
export function useLogs(project: string, run: Run, step: string | null, search: string) {
  const [lines, setLines] = useState<readonly Line[]>([])
  const [loading, setLoading] = useState(true)
  const [error, setError] = useState<unknown>(null)
  const last = useRef(0)
  const asked = useRef(0)
  const load = useCallback(async () => {
    const mine = ++asked.current
    try {
      for (;;) {
        const answer = await unwrap(
          api.GET('/api/v1/projects/{project}/runs/{run_id}/logs', {
            params: { path: { project, run_id: run.id }, query: { after: last.current, limit: 5000, step: step ?? undefined, search: search || undefined } },
          }),
        )
        if (mine !== asked.current) return
        setLines((known) => append(known, answer.lines, KEPT_LINES))
        last.current = Math.max(last.current, answer.last)
        if (answer.lines.length < 5000) break
      }
      setError(null)
    } catch (failure) {
      setError(failure)
    } finally {
      if (mine === asked.current) setLoading(false)
    }
  }, [project, run.id, step, search])
  useEffect(() => {
    last.current = 0
    setLines([])
    setLoading(true)
    void load()
  }, [load])
  useLive(
    `run:${run.id}`,
    (event) => {
      if (event.type !== 'lines_logged') return
      const fitting = event.lines.filter((line) => (!step || line.step === step) && (!search || line.text.toLowerCase().includes(search.toLowerCase())))
      if (fitting.length) setLines((known) => append(known, fitting, KEPT_LINES))
    },
    { onReconnect: () => void load() },
  )
  const done = ended(run.status)
  useEffect(() => {
    if (done) void load()
  }, [done, load])
  return { lines, loading, error }
}

/** The present, once a second while `ticking`: for durations that grow. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!ticking) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [ticking])
  return now
}
