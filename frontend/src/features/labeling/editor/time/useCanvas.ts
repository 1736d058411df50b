/** A canvas that is painted at most once a frame, at the screen's own pixels, in the page's colours. */
import { useCallback, useEffect, useRef, type RefObject } from 'react'

import { useLatest } from '../hooks'

export interface Ink {
  readonly text: string
  readonly faint: string
  readonly line: string
  readonly accent: string
  readonly surface: string
}

export interface Sheet {
  readonly context: CanvasRenderingContext2D
  readonly width: number
  readonly height: number
  readonly ink: Ink
}

function inkOf(element: Element): Ink {
  const style = getComputedStyle(element)
  const of = (name: string, otherwise: string) => style.getPropertyValue(name).trim() || otherwise
  return { text: of('--mantine-color-text', '#000'), faint: of('--mantine-color-dimmed', '#666'), line: of('--hr-line', '#ccc'), accent: of('--mantine-primary-color-filled', '#1c7ed6'), surface: of('--hr-surface', '#fff') }
}

/** The function paints anew with the next frame; `resized` is told the size in CSS pixels. */
export function useCanvas(canvas: RefObject<HTMLCanvasElement | null>, paint: (sheet: Sheet) => void, resized?: (width: number, height: number) => void): () => void {
  const latest = useLatest(paint)
  const told = useLatest((width: number, height: number) => resized?.(width, height))
  const frame = useRef(0)
  const again = useCallback(() => {
    cancelAnimationFrame(frame.current)
    frame.current = requestAnimationFrame(() => {
      const element = canvas.current
      const context = element?.getContext('2d')
      if (!element || !context) return
      const { clientWidth: width, clientHeight: height } = element
      const ratio = window.devicePixelRatio || 1
      const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)]
      if (element.width !== across || element.height !== down) [element.width, element.height] = [across, down]
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      context.clearRect(0, 0, width, height)
      latest({ context, width, height, ink: inkOf(element) })
    })
  }, [canvas, latest])
  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const observer = new ResizeObserver(() => {
      told(element.clientWidth, element.clientHeight)
      again()
    })
    observer.observe(element)
    const scheme = new MutationObserver(again)
    scheme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-mantine-color-scheme'] })
    return () => {
      observer.disconnect()
      scheme.disconnect()
      cancelAnimationFrame(frame.current)
    }
  }, [canvas, again, told])
  return again
}
