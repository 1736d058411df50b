/**
 * Dragging cards by their grips with mouse, pen or finger. Nothing is moved in the document until it is let go: a finger's
 * events end when the element that it touches is taken out.
 */
import { useEffect, useRef, useState, type PointerEvent as ReactPointerEvent, type RefObject } from 'react'

import { useLatest } from '../hooks'

export interface Target {
  readonly column: string
  /** Before what is there now; the length of the column for its end. */
  readonly index: number
}

/** So near to the edge (pixels) the list scrolls under the pointer. */
const EDGE = 48
const STEP = 12

export function useDrag({ frame, onDrop }: { frame: RefObject<HTMLElement | null>; onDrop: (id: string, column: string, index: number) => void }) {
  const [held, setHeld] = useState<string | null>(null)
  const [target, setTarget] = useState<Target | null>(null)
  const now = useRef<{ id: string; target: Target | null } | null>(null)

  const over = (x: number, y: number): Target | null => {
    const lists = [...(frame.current?.querySelectorAll<HTMLElement>('[data-column]') ?? [])]
    const beside = (list: HTMLElement) => {
      const box = (list.closest('section') ?? list).getBoundingClientRect()
      return Math.max(box.left - x, 0, x - box.right) + Math.max(box.top - y, 0, y - box.bottom)
    }
    const list = lists.sort((a, b) => beside(a) - beside(b))[0]
    if (!list) return null
    const cards = [...list.querySelectorAll<HTMLElement>('[data-entry]')]
    const index = cards.findIndex((card) => {
      const box = card.getBoundingClientRect()
      return y < box.top + box.height / 2
    })
    return { column: list.dataset.column ?? '', index: index < 0 ? cards.length : index }
  }

  const move = useLatest((event: PointerEvent) => {
    if (!now.current) return
    const area = frame.current?.getBoundingClientRect()
    if (area && event.clientY < area.top + EDGE) frame.current?.scrollBy(0, -STEP)
    else if (area && event.clientY > area.bottom - EDGE) frame.current?.scrollBy(0, STEP)
    now.current.target = over(event.clientX, event.clientY)
    setTarget(now.current.target)
  })
  const end = useLatest((drop: boolean) => {
    const last = now.current
    now.current = null
    setHeld(null)
    setTarget(null)
    if (drop && last?.target) onDrop(last.id, last.target.column, last.target.index)
  })

  useEffect(() => {
    if (held === null) return
    const up = () => end(true)
    const cancel = () => end(false)
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return
      event.preventDefault()
      end(false)
    }
    window.addEventListener('pointermove', move)
    window.addEventListener('pointerup', up)
    window.addEventListener('pointercancel', cancel)
    window.addEventListener('keydown', key, true)
    return () => {
      window.removeEventListener('pointermove', move)
      window.removeEventListener('pointerup', up)
      window.removeEventListener('pointercancel', cancel)
      window.removeEventListener('keydown', key, true)
    }
  }, [held, move, end])

  const grip = (id: string) => ({
    onPointerDown: (event: ReactPointerEvent) => {
      if (event.button !== 0) return
      event.preventDefault()
      now.current = { id, target: null }
      setHeld(id)
    },
  })
  return { held, target, grip }
}
