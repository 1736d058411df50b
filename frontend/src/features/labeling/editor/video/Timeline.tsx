/** The tracks below a video: a row each, with its stretches and key frames; a ruler to move along. Painted from their values. */
import { useEffect, useRef, type PointerEvent, type RefObject } from 'react'

import { useLatest, useStore, useStoreState } from '../hooks'
import { titleOf, type Drawn } from '../result'
import { kept, ticks, timeAt, xOf, zoomed, type Axis } from '../time/axis'
import type { Player } from '../time/media'
import { useCanvas } from '../time/useCanvas'
import classes from '../time/time.module.css'
import { lifespans, sequenceOf, timeOf } from './track'
import type { Tracks } from './useTracks'

const RULER = 24
const ROW = 22

interface Given {
  player: Player
  tracks: Tracks
  fps: number
  regions: readonly Drawn[]
  ghosts: readonly Drawn[]
  axis: RefObject<Axis>
  /** Paints anew after the axis was changed from outside. */
  again: RefObject<() => void>
  fit: (width: number) => void
}

export function Timeline({ player, tracks, fps, regions, ghosts, axis, again, fit }: Given) {
  const editor = useStore()
  const selected = useStoreState((state) => state.selected)
  const accepted = useStoreState((state) => state.accepted)
  const ruler = useRef<HTMLCanvasElement>(null)
  const rows = useRef<HTMLCanvasElement>(null)
  const list = [...regions, ...ghosts]

  const head = useRef<HTMLDivElement>(null)
  const painted = useRef<Axis | null>(null)
  const drawRuler = useCanvas(
    ruler,
    (sheet) => {
      const { context, ink } = sheet
      const found = ticks(axis.current)
      context.font = '11px system-ui, sans-serif'
      context.fillStyle = ink.faint
      context.strokeStyle = ink.line
      context.beginPath()
      for (const time of found.times) {
        const x = Math.round(xOf(axis.current, time)) + 0.5
        context.moveTo(x, 14)
        context.lineTo(x, RULER)
        context.fillText(`${Math.round(time * fps) + 1}`, x + 3, 13)
      }
      context.stroke()
    },
    (width) => fit(width),
  )
  const drawRows = useCanvas(rows, (sheet) => {
    const { context, ink, width } = sheet
    context.font = '11px system-ui, sans-serif'
    context.textBaseline = 'middle'
    list.forEach((region, row) => {
      const top = row * ROW
      const chosen = selected.has(region.id)
      const dashed = row >= regions.length || (region.main.origin === 'prediction' && !accepted.has(region.id))
      const sequence = sequenceOf(region)
      if (chosen) {
        context.globalAlpha = 0.12
        context.fillStyle = ink.accent
        context.fillRect(0, top, width, ROW)
        context.globalAlpha = 1
      }
      for (const [first, last] of lifespans(sequence, tracks.count())) {
        const [from, to] = [xOf(axis.current, (first - 1) / fps), xOf(axis.current, last / fps)]
        if (to < 0 || from > width) continue
        context.fillStyle = context.strokeStyle = region.color
        context.globalAlpha = dashed ? 0.12 : chosen ? 0.5 : 0.28
        context.fillRect(from, top + 3, Math.max(2, to - from), ROW - 6)
        context.globalAlpha = 1
        context.setLineDash(dashed ? [4, 3] : [])
        context.strokeRect(from + 0.5, top + 3.5, Math.max(2, to - from - 1), ROW - 7)
        context.setLineDash([])
      }
      for (const key of sequence) {
        const x = xOf(axis.current, timeOf(key.frame, fps))
        if (x < -8 || x > width + 8) continue
        context.fillStyle = key.enabled ? ink.text : ink.surface
        context.strokeStyle = ink.text
        context.beginPath()
        context.moveTo(x, top + 5)
        context.lineTo(x + 6, top + ROW / 2)
        context.lineTo(x, top + ROW - 5)
        context.lineTo(x - 6, top + ROW / 2)
        context.closePath()
        context.fill()
        context.stroke()
      }
      context.fillStyle = ink.text
      const begin = Math.max(4, xOf(axis.current, ((sequence[0]?.frame ?? 1) - 1) / fps) + 12)
      context.fillText(titleOf(region), Math.min(begin, width - 60), top + ROW / 2 + 0.5)
    })
  })
  const paint = () => {
    painted.current = axis.current
    drawRuler()
    drawRows()
    move()
  }
  // While it plays only the line moves; the tracks are painted again when they, or what is seen of them, change.
  const move = () => {
    if (head.current) head.current.style.transform = `translateX(${xOf(axis.current, timeOf(tracks.frame(), fps)) - 1}px)`
  }
  useEffect(() => {
    again.current = paint
    paint()
  })
  const moved = useLatest(() => (painted.current === axis.current ? move() : again.current()))
  useEffect(() => player.subscribe(moved), [player, moved])

  const at = (event: { clientX: number; clientY: number; currentTarget: Element }) => {
    const box = event.currentTarget.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
  const scrub = (event: PointerEvent<HTMLCanvasElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId)
    tracks.go(Math.floor(timeAt(axis.current, at(event).x) * fps) + 1)
  }
  const press = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.button !== 0) return
    const { x, y } = at(event)
    const row = Math.floor(y / ROW)
    const region = list[row]
    if (!region) return
    if (row >= regions.length && !editor.state.readOnly) editor.accept(new Set([region.id]))
    editor.select(event.shiftKey || event.ctrlKey ? [...selected, region.id] : [region.id])
    const near = sequenceOf(region).find((key) => Math.abs(xOf(axis.current, timeOf(key.frame, fps)) - x) <= 8)
    tracks.go(near?.frame ?? Math.floor(timeAt(axis.current, x) * fps) + 1)
  }
  useEffect(() => {
    const element = ruler.current?.parentElement
    if (!element) return
    // Listened to by hand: React's listener could not keep the page from zooming.
    const wheel = (event: WheelEvent) => {
      const { duration } = player.state
      if (event.ctrlKey || event.metaKey) axis.current = zoomed(axis.current, Math.exp(-event.deltaY / 200), event.offsetX, duration)
      else if (event.deltaX !== 0) axis.current = kept({ ...axis.current, from: axis.current.from + event.deltaX / axis.current.scale }, duration)
      else return
      event.preventDefault()
      again.current()
    }
    element.addEventListener('wheel', wheel, { passive: false })
    return () => element.removeEventListener('wheel', wheel)
  }, [axis, again, player])

  return (
    <div className={classes.timeline}>
      <canvas ref={ruler} style={{ height: RULER, position: 'sticky', top: 0, background: 'var(--hr-surface)' }} aria-hidden onPointerDown={scrub} onPointerMove={(event) => event.buttons === 1 && scrub(event)} />
      <div ref={head} className={classes.head} style={{ height: RULER + Math.max(1, list.length) * ROW }} aria-hidden />
      <canvas ref={rows} style={{ height: Math.max(1, list.length) * ROW }} aria-hidden onPointerDown={press} />
    </div>
  )
}
