/** What is suggested for the item on screen: what came with it, and what a model answers while somebody looks at it. */
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { api, unwrap } from '@/api/client'
import { onOpeningQuery, resultOf, type Work } from '../data'
import type { EditorStore, Result } from '../editor'
import { Asker, type Asked, type Suggestion } from './asker'

export type Suggested = {
  /** Who is asked when an item is opened, as people call it; null where nobody is. */
  by: string | null
  asked: Asked | undefined
  shown: Suggestion | undefined
  result: Result
  /** The newest that is known, which may have found nothing. */
  latest: Suggestion | undefined
  /** What has come and is not shown. */
  news: Suggestion | undefined
  show: () => void
  again: () => void
}

/** One for a session at a queue: it outlives the items. */
export function useAsker(project: string, label_schema: string): { asker: Asker; by: string | null } {
  const setting = useQuery(onOpeningQuery(project, label_schema))
  const by = setting.data?.by ?? null
  const asker = useMemo(
    () =>
      new Asker(async (item) => (await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/suggestions', { params: { path: { project, label_schema, item } } }))).suggestions),
    [project, label_schema],
  )
  useEffect(() => asker.turn(by !== null), [asker, by])
  return { asker, by }
}

export function useSuggested({ asker, by }: { asker: Asker; by: string | null }, work: Work): Suggested {
  const told = useSyncExternalStore(asker.subscribe, () => asker.of(work.id))
  const asked = work.mine ? undefined : told
  const [chosen, setChosen] = useState<{ work: Work; suggestion: Suggestion } | null>(null)
  const came = asked?.state !== 'there' ? undefined : asked.suggestions[0]
  const shown = work.mine ? undefined : chosen?.work === work ? chosen.suggestion : work.suggestions[0]
  const news = came && came.id !== shown?.id && came.result.length > 0 ? came : undefined
  const result = useMemo(() => resultOf(shown?.result ?? []), [shown])
  const show = useCallback(() => news && setChosen({ work, suggestion: news }), [news, work])
  const again = useCallback(() => asker.want(work.id), [asker, work.id])
  return { by: work.mine ? null : by, asked, shown, result, latest: came ?? shown, news, show, again }
}

/** What comes is shown at once to whoever has not begun; nothing is put in the way of one who has. `ready`: the editor holds what was said so far. */
export function useArrival(editor: EditorStore, { news, show }: Suggested, ready: boolean, drafted: boolean): void {
  const id = news?.id
  useEffect(() => {
    if (id !== undefined && ready && !drafted && !editor.begun) show()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- when it comes only: what is undone later does not bring it up
  }, [editor, id, ready])
}
