/** The map itself: points that can be moved and zoomed, and a line drawn around some of them. */
import { useComputedColorScheme } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useEffect, useMemo, useRef, useState, type PointerEvent } from 'react'
import { inkOf } from '@/ui/chart'
import type { Points } from './data'
import { carried, inside, nearest, onCanvas, painter, whole, type Cloud, type Painter, type View } from './scatter'
import classes from './explore.module.css'

export type Mode = 'lasso' | 'box' | 'move'
type Place = [number, number]

/** A drawing that takes longer than this is carried along while the hand moves, and made anew when it rests. */
const SLOW_MS = 8
const RESTS_MS = 120
/** So much more than the window is drawn on every side, as a share of it: what a move brings into sight. As in the style sheet. */
const MARGIN = 0.25

type Rgb = [number, number, number]
const parts = (color: string): Rgb => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) as Rgb

/** Colours of values: those of all charts, then the same halfway to the ground, and so on. */
export function colorsOf(scheme: 'light' | 'dark', count: number): string[] {
  const { series, surface } = inkOf(scheme)
  const ground = parts(surface)
  return Array.from({ length: count }, (_, n) => {
    const share = 0.5 ** Math.floor(n / series.length)
    const mixed = parts(series[n % series.length]!).map((part, at) => Math.round(part * share + ground[at]! * (1 - share)))
    return `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`
  })
}

export function Scatter({ points, chosen, mode, onChoose, label }: { points: Points; chosen: ReadonlySet<number>; mode: Mode; onChoose: (ids: number[], add: boolean) => void; label: string }) {
  const scheme = useComputedColorScheme('light')
  const { ref: box, width, height } = useElementSize()
  const canvas = useRef<HTMLCanvasElement>(null)
  const brush = useRef<Painter | null>(null)
  const [moved, setMoved] = useState<View | null>(null)
  const [line, setLine] = useState<Place[]>([])
  const held = useRef<{ from: Place; view: View } | null>(null)
  const cloud = useMemo<Cloud>(() => {
    const n = points.ids.length
    const found: Cloud = { x: Float32Array.from(points.x), y: Float32Array.from(points.y), color: new Uint8Array(4 * n), size: new Float32Array(n) }
    const colors = colorsOf(scheme, points.names.length).map(parts)
    const none = parts(scheme === 'dark' ? '#5b6b7a' : '#b3bfca')
    const size = n > 20_000 ? 3 : n > 3_000 ? 4.5 : 7
    for (let i = 0; i < n; i++) {
      const one = chosen.has(points.ids[i]!)
      const [r, g, b] = colors[points.values[i]!] ?? none
      found.color[4 * i] = r
      found.color[4 * i + 1] = g
      found.color[4 * i + 2] = b
      found.color[4 * i + 3] = chosen.size === 0 || one ? 235 : 70
      found.size[i] = one ? size + 2.5 : size
    }
    return found
  }, [points, chosen, scheme])
  const all = useMemo(() => whole(cloud, width || 1, height || 1), [cloud, width, height])
  const view = moved ?? all
  const drawn = useRef<{ cloud: Cloud; view: View; width: number; height: number; ms: number } | null>(null)
  useEffect(() => {
    const made = canvas.current ? painter(canvas.current) : null
    brush.current = made
    return () => {
      brush.current = null
      made?.end()
    }
  }, [])
  useEffect(() => {
    const element = canvas.current
    if (!element || !width || !height) return
    const before = drawn.current
    const [left, top] = [width * MARGIN, height * MARGIN]
    const draw = () => {
      const ratio = window.devicePixelRatio || 1
      const [across, down] = [Math.round((width + 2 * left) * ratio), Math.round((height + 2 * top) * ratio)]
      if (element.width !== across) element.width = across
      if (element.height !== down) element.height = down
      const ms = brush.current?.draw(cloud, { ...view, x: view.x + left, y: view.y + top }, ratio) ?? 0
      element.style.transform = ''
      drawn.current = { cloud, view, width, height, ms }
    }
    if (!before || before.ms <= SLOW_MS || before.cloud !== cloud || before.width !== width || before.height !== height) return draw()
    if (before.view === view) return void (element.style.transform = '')
    element.style.transform = carried(before.view, view, [left, top])
    const timer = setTimeout(draw, RESTS_MS)
    return () => clearTimeout(timer)
  }, [cloud, view, width, height])
  const at = (event: PointerEvent): Place => {
    const { left, top } = event.currentTarget.getBoundingClientRect()
    return [event.clientX - left, event.clientY - top]
  }
  const down = (event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId)
    held.current = { from: at(event), view }
    if (mode !== 'move') setLine([at(event)])
  }
  const move = (event: PointerEvent) => {
    const start = held.current
    if (!start) return
    const [x, y] = at(event)
    const [fx, fy] = start.from
    if (mode === 'move') setMoved({ ...start.view, x: start.view.x + x - fx, y: start.view.y + y - fy })
    else if (mode === 'box') setLine([[fx, fy], [x, fy], [x, y], [fx, y]])
    else setLine((before) => [...before, [x, y]])
  }
  const up = (event: PointerEvent) => {
    const start = held.current
    held.current = null
    setLine([])
    if (!start) return
    const [x, y] = at(event)
    const still = Math.hypot(x - start.from[0], y - start.from[1]) < 4
    if (still) {
      const one = nearest(cloud, view, x, y)
      if (one >= 0) onChoose([points.ids[one]!], event.shiftKey)
      else onChoose([], event.shiftKey)
    } else if (mode !== 'move' && line.length > 2) {
      const found = points.ids.filter((_, n) => {
        const [px, py] = onCanvas(cloud.x[n]!, cloud.y[n]!, view)
        return inside(px, py, line)
      })
      onChoose(found, event.shiftKey)
    }
  }
  useEffect(() => {
    const el = canvas.current?.parentElement
    if (!el) return
    // React listens passively, and the page would scroll.
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const { left, top } = el.getBoundingClientRect()
      const [x, y, by] = [event.clientX - left, event.clientY - top, Math.exp(-event.deltaY * 0.0015)]
      setMoved((before) => {
        const from = before ?? whole(cloud, el.clientWidth, el.clientHeight)
        return { scale: from.scale * by, x: x - (x - from.x) * by, y: y - (y - from.y) * by }
      })
    }
    el.addEventListener('wheel', wheel, { passive: false })
    return () => el.removeEventListener('wheel', wheel)
  }, [cloud])
  return (
    <div ref={box} className={classes.map} role="img" aria-label={label} style={{ cursor: mode === 'move' ? 'grab' : 'crosshair' }} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={() => { held.current = null; setLine([]) }} onDoubleClick={() => setMoved(null)}>
      <canvas ref={canvas} />
      <svg width={width} height={height} style={{ position: 'absolute', inset: 0, pointerEvents: 'none' }} aria-hidden>
        {line.length > 1 && <polygon points={line.map((one) => one.join(',')).join(' ')} fill="var(--mantine-primary-color-light)" stroke="var(--mantine-primary-color-filled)" strokeWidth={1.5} />}
      </svg>
    </div>
  )
}
