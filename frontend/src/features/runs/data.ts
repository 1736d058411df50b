/** What the run pages ask for, and how live events keep it fresh. */
import { infiniteQueryOptions, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { approvalsQuery } from '@/api/approvals'
import { append, applyEvent, ended, shardOf, withEvents, type Line, type Point, type Run, type Shard, type Status, type StepRun } from './live'

export type RunFilters = { status?: Schemas['RunSummary']['status']; pipeline?: string; dry_run?: boolean; search?: string; sort?: string }

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

const STEP = '/api/v1/projects/{project}/runs/{run_id}/steps/{step}' as const
const NO_SHARDS: readonly Shard[] = []

/** Every shard of a step, live: ten thousand are asked for once; what happens to each since comes with the events. */
export function useShards(project: string, run: Run, step: StepRun): { shards: readonly Shard[]; loading: boolean; error: unknown } {
  const [heard, setHeard] = useState<ReadonlyMap<string, { status: Status; attempt: number }>>(new Map())
  const query = useQuery({
    // Rounds come one by one, and times and errors are known at the end: then all are asked for again.
    queryKey: [...keys.runs(project), run.id, 'shards', step.step, step.shards?.total ?? 0, step.status],
    queryFn: () => unwrap(api.GET(`${STEP}/shards`, { params: { path: { project, run_id: run.id, step: step.step } } })),
    placeholderData: (before) => before,
    refetchInterval: ended(step.status) ? false : 20_000,
  })
  const waiting = useRef(new Map<string, { status: Status; attempt: number }>())
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  const many = step.shards?.total ?? 0
  useLive(`run:${run.id}`, (event) => {
    if (event.type !== 'step_run_changed' || shardOf(step.step, event.step) === null) return
    waiting.current.set(event.step, { status: event.status, attempt: event.attempt })
    // Hundreds come at once, and thousands of squares take a while to draw: drawn together, the more there are the more seldom.
    timer.current ??= setTimeout(
      () => {
        timer.current = undefined
        setHeard(new Map(waiting.current))
      },
      Math.min(1500, 50 + many / 8),
    )
  })
  const data = query.data ?? NO_SHARDS
  const shards = useMemo(() => withEvents(data, step.step, heard), [data, step.step, heard])
  return { shards, loading: query.isPending, error: query.error }
}

/** One step by its path: a shard or round, with what it was given and what it made. */
export function useStepAt(project: string, run: Run, path: string | null) {
  const client = useQueryClient()
  const queryKey = [...keys.runs(project), run.id, 'step', path]
  const query = useQuery({
    queryKey,
    queryFn: () => unwrap(api.GET(STEP, { params: { path: { project, run_id: run.id, step: path ?? '' } } })),
    enabled: path !== null,
    refetchInterval: (now) => (now.state.data && ended(now.state.data.status) ? false : 5_000),
  })
  useLive(`run:${run.id}`, (event) => {
    if (event.type === 'step_run_changed' && event.step === path) void client.invalidateQueries({ queryKey })
  })
  return query
}

/** Why each step of the run waits, by its path; asked again while it does, since others decide it. */
export function useWaits(project: string, run: Run): ReadonlyMap<string, string> {
  const waits = !ended(run.status) && run.step_runs.some((step) => step.status === 'queued' || step.status === 'waiting')
  const query = useQuery({
    queryKey: [...keys.runs(project), run.id, 'waits', run.steps_done],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs/{run_id}/waits', { params: { path: { project, run_id: run.id } } })),
    enabled: waits,
    placeholderData: (before) => before,
    refetchInterval: 3_000,
  })
  const data = waits ? query.data : undefined
  return useMemo(() => new Map((data ?? []).map((one) => [one.step, one.why])), [data])
}

/** Why one shard or round waits; empty while it does not. */
export function useWaitAt(project: string, run: Run, step: StepRun | undefined): string {
  const waits = !ended(run.status) && (step?.status === 'queued' || step?.status === 'waiting')
  const query = useQuery({
    queryKey: [...keys.runs(project), run.id, 'wait', step?.step],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs/{run_id}/waits', { params: { path: { project, run_id: run.id }, query: { step: step?.step } } })),
    enabled: waits,
    refetchInterval: 3_000,
  })
  return (waits && query.data?.[0]?.why) || ''
}

/** What the run's pipeline would take on all of its data. */
export const forecastQuery = (project: string, run: Run) =>
  queryOptions({
    queryKey: [...keys.runs(project), run.id, 'forecast', run.steps_done],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs/{run_id}/forecast', { params: { path: { project, run_id: run.id } } })),
    placeholderData: (before: Schemas['ForecastOut'] | undefined) => before,
  })

/** Lets a run go before others, or after them. */
export function usePriority(project: string, run: Run) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (priority: Schemas['PriorityIn']['priority']) => unwrap(api.PUT('/api/v1/projects/{project}/runs/{run_id}/priority', { params: { path: { project, run_id: run.id } }, body: { priority } })),
    onSuccess: (fresh) => client.setQueryData(runQuery(project, run.id).queryKey, fresh),
  })
}

/** Answers a step that waits for a person. */
export function useDecide(project: string, run: string, step: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Schemas['DecideIn']) => unwrap(api.POST(`${STEP}/decision`, { params: { path: { project, run_id: run, step } }, body })),
    onSettled: () => {
      void client.invalidateQueries({ queryKey: approvalsQuery(project).queryKey })
      void client.invalidateQueries({ queryKey: [...keys.runs(project), run] })
    },
  })
}

/** The graph that is drawn: the run's own, or that of the pipeline which a step is, its keys as the run's paths. */
export function useInside(project: string, run: Run, step: StepRun | null): Run['graph'] {
  const [, slug = '', version = ''] = /^pipeline:(.+)@(\d+)$/.exec(step?.component ?? '') ?? []
  const query = useQuery({
    queryKey: [...keys.pipelines(project), 'graph', slug, version],
    queryFn: async () => (await unwrap(api.GET('/api/v1/projects/{project}/pipelines/{pipeline}/versions/{number}', { params: { path: { project, pipeline: slug, number: Number(version) } } }))).graph,
    enabled: slug !== '',
    staleTime: Infinity,
  })
  const inner = query.data
  const prefix = step?.step
  return useMemo(() => {
    if (prefix === undefined) return run.graph
    const at = (key: string) => `${prefix}.${key}`
    const steps = Object.entries(inner?.steps ?? {}).map(([key, one]) => [at(key), { ...one, inputs: Object.fromEntries(Object.entries(one.inputs ?? {}).map(([port, refs]) => [port, refs.map((ref) => ({ ...ref, step: at(ref.step) }))])) }] as const)
    return { parameters: {}, steps: Object.fromEntries(steps) }
  }, [run.graph, prefix, inner])
}
