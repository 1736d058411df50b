/** One person at one queue: the item on screen, the one made ready behind it, and those already done. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { api, unwrap } from '@/api/client'
import type { Work } from '../data'

export type Session = {
  current: Work | null
  /** Nothing is there for this person; `waiting` places are held by others. */
  over: { waiting: number } | null
  error: unknown
  busy: boolean
  /** Items done in this session, newest last. */
  done: readonly number[]
  /** How many of them this person had not labelled before. */
  fresh: number
  /** Show the next item; the present one was labelled, or let go. */
  next: (labelled: boolean) => void
  /** Look again at an item of this session, or at any. */
  open: (item: number) => Promise<void>
  back: () => void
  retry: () => void
}

async function ask(project: string, label_schema: string, holding: number[]) {
  return unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/next', { params: { path: { project, label_schema } }, body: { holding } }))
}

async function look(project: string, label_schema: string, item: number): Promise<Work> {
  return unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}', { params: { path: { project, label_schema, item } } }))
}

/** Held, or the browser would give up loading it. */
const ahead: HTMLMediaElement[] = []

/** The pictures, sounds and videos of an item are fetched before it is shown. */
function preload(work: Work): void {
  const [family] = work.media_type.split('/')
  for (const at of Object.values(work.pyramids)) {
    new Image().src = at.overview
    // Asked for once, so that its tiles are made meanwhile.
    void fetch(`${at.pyramid}?wait=0`, { credentials: 'same-origin' }).catch(() => undefined)
  }
  for (const [name, url] of Object.entries(work.urls)) {
    if (name in work.pyramids) continue
    if (family === 'audio' || family === 'video') {
      const media = document.createElement(family)
      media.preload = 'auto'
      media.muted = true
      media.src = url
      ahead.splice(0, ahead.length, media)
      continue
    }
    const image = new Image()
    image.src = url
    void image.decode?.().catch(() => undefined)
  }
}

/** `ahead` is told of each item that is shown or made ready. */
export function useSession(project: string, schema: string, ahead: (work: Work) => void, first?: number): Session {
  const [current, setCurrent] = useState<Work | null>(null)
  const [over, setOver] = useState<{ waiting: number } | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(true)
  const [done, setDone] = useState<readonly number[]>([])
  const [fresh, setFresh] = useState(0)
  const ready = useRef<Promise<{ item: Work | null; waiting: number }> | null>(null)
  const left = useRef<number[]>([])

  const prepare = useCallback(
    (shown: number) => {
      // Just submitted items may still be on their way to the studio: they are not to come again.
      const asked = ask(project, schema, [...new Set([shown, ...left.current.slice(-3)])])
      asked
        .then(({ item }) => {
          if (!item) return
          preload(item)
          ahead(item)
        })
        .catch(() => undefined)
      ready.current = asked
    },
    [ahead, project, schema],
  )

  const show = useCallback(
    async (found: Promise<{ item: Work | null; waiting: number }>) => {
      setBusy(true)
      try {
        const { item, waiting } = await found
        setError(null)
        setCurrent(item)
        setOver(item ? null : { waiting })
        if (!item) return
        ahead(item)
        prepare(item.id)
      } catch (failure) {
        setError(failure)
      } finally {
        setBusy(false)
      }
    },
    [ahead, prepare],
  )

  const open = useCallback(
    (item: number) => show(look(project, schema, item).then((work) => ({ item: work, waiting: 0 }))),
    [project, schema, show],
  )

  const begin = useCallback(() => {
    if (first) void open(first)
    else void show(ask(project, schema, []))
  }, [first, open, project, schema, show])
  useEffect(begin, [begin])

  const next = useCallback((labelled: boolean) => {
    if (current) {
      if (labelled && current.mine === null && !left.current.includes(current.id)) setFresh((before) => before + 1)
      left.current = [...left.current.filter((item) => item !== current.id), current.id]
      setDone(left.current)
    }
    const prepared = ready.current
    ready.current = null
    // What was prepared may have failed, or found nothing while the last one was still ours: then it is asked anew.
    const found = prepared?.then((answer) => (answer.item ? answer : ask(project, schema, left.current.slice(-3)))) ?? ask(project, schema, left.current.slice(-3))
    void show(found.catch(() => ask(project, schema, left.current.slice(-3))))
  }, [current, project, schema, show])

  const back = useCallback(() => {
    const before = current ? left.current.filter((item) => item !== current.id) : left.current
    const place = current ? left.current.indexOf(current.id) : -1
    const item = place > 0 ? left.current[place - 1] : place === -1 ? before.at(-1) : undefined
    if (item !== undefined) void open(item)
  }, [current, open])

  return { current, over, error, busy, done, fresh, next, open, back, retry: begin }
}
