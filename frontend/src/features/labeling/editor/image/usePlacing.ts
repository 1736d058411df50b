/** The window on the image: its size, the image's, and how one lies in the other. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react'

import type { Size } from '../geometry'
import { fitted, kept, type Placing } from './view'

const NOTHING: Size = { width: 0, height: 0 }

export function usePlacing(frame: RefObject<HTMLElement | null>, size: Size | null) {
  const [box, setBox] = useState<Size>(NOTHING)
  const [placing, setPlacing] = useState<Placing>({ scale: 1, x: 0, y: 0 })
  /** As long as nobody zoomed or panned, the image keeps fitting its window. */
  const fitting = useRef(true)

  useLayoutEffect(() => {
    const element = frame.current
    if (!element) return
    const measure = () => setBox((before) => (before.width === element.clientWidth && before.height === element.clientHeight ? before : { width: element.clientWidth, height: element.clientHeight }))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [frame])

  useEffect(() => {
    fitting.current = true
  }, [size])

  useLayoutEffect(() => {
    if (!size || box.width === 0) return
    setPlacing((before) => (fitting.current ? fitted(size, box) : kept(before, size, box)))
  }, [size, box])

  /** Changes the placing by hand; from then on it stays as it is. */
  const place = useCallback((change: (before: Placing) => Placing) => {
    fitting.current = false
    setPlacing(change)
  }, [])

  const fit = useCallback(() => {
    fitting.current = true
    if (size) setPlacing(fitted(size, box))
  }, [size, box])

  return { box, placing, place, fit }
}
