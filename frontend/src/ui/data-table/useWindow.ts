/** Rows of a long list fetched window by window as they come into view, for DataTable and the gallery. */
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'

type WindowPage<Row> = { rows: Row[]; total: number }

/**
 * `queryKey` must change with everything that changes the list (filter, sort, version). `fetch(offset, limit)` gives one
 * window. Returns what DataTable takes: total, rowAt, onWindow.
 */
export function useWindow<Row, Page extends WindowPage<Row> = WindowPage<Row>>(
  queryKey: readonly unknown[],
  fetch: (offset: number, limit: number, signal: AbortSignal) => Promise<Page>,
  { size = 200, enabled = true, staleTime = 60_000 }: { size?: number; enabled?: boolean; staleTime?: number } = {},
) {
  const [range, setRange] = useState<[number, number]>([0, 1])
  const options = (page: number) => ({
    queryKey: [...queryKey, 'window', size, page],
    queryFn: ({ signal }: { signal: AbortSignal }) => fetch(page * size, size, signal),
    staleTime,
    enabled,
  })
  // The first window also carries the total; it stays while a new filter loads, so that the table does not jump.
  const first = useQuery({ ...options(0), placeholderData: keepPreviousData })
  const total = first.data?.total ?? 0
  const from = Math.floor(range[0] / size)
  const to = Math.max(from, Math.min(Math.ceil(range[1] / size), Math.ceil(total / size)) - 1)
  const numbers = useMemo(() => Array.from({ length: to - from + 1 }, (_, i) => from + i).filter((n) => n > 0), [from, to])
  const others = useQueries({ queries: numbers.map((n) => options(n)) })
  const pages = new Map<number, Row[]>()
  if (first.data) pages.set(0, first.data.rows)
  others.forEach((query, i) => query.data && pages.set(numbers[i]!, query.data.rows))
  const onWindow = useCallback((a: number, b: number) => setRange((old) => (old[0] === a && old[1] === b ? old : [a, b])), [])
  return {
    first: first.data,
    total,
    rowAt: (index: number): Row | undefined => pages.get(Math.floor(index / size))?.[index % size],
    onWindow,
    loading: first.isPending && enabled,
    refreshing: first.isPlaceholderData || first.isFetching,
    error: first.error ?? others.find((q) => q.error)?.error ?? null,
    refetch: first.refetch,
  }
}
