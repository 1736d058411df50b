/** Seconds that somebody spent on an item: while the page is in front of them, at most a minute after their last touch. */
import { useCallback, useEffect, useRef } from 'react'

const IDLE_MS = 60_000

export function useStopwatch(item: number): () => number {
  const spent = useRef(0)
  const since = useRef<number | null>(null)
  const touched = useRef(0)
  const rest = useCallback(() => {
    if (since.current !== null) spent.current += Math.max(0, Math.min(Date.now(), touched.current + IDLE_MS) - since.current)
    since.current = null
  }, [])
  useEffect(() => {
    spent.current = 0
    const touch = () => {
      const now = Date.now()
      if (since.current !== null && now - touched.current > IDLE_MS) rest()
      touched.current = now
      if (document.visibilityState === 'visible') since.current ??= now
    }
    const see = () => (document.visibilityState === 'visible' ? touch() : rest())
    touch()
    document.addEventListener('visibilitychange', see)
    const kinds = ['pointerdown', 'keydown', 'wheel'] as const
    for (const kind of kinds) window.addEventListener(kind, touch, { passive: true, capture: true })
    return () => {
      since.current = null
      document.removeEventListener('visibilitychange', see)
      for (const kind of kinds) window.removeEventListener(kind, touch, { capture: true })
    }
  }, [item, rest])
  return useCallback(() => {
    rest()
    return Math.min(86_400, Math.round(spent.current / 100) / 10)
  }, [rest])
}
