/**
 * Mouse, pen and fingers on the image. Handles of the selected shape are Konva's own; everything else comes here: drawing,
 * picking, panning (space, middle button, empty ground, two fingers), pinching.
 */
import type Konva from 'konva'
import { useRef, useState, type MouseEvent, type PointerEvent, type RefObject } from 'react'
import { flushSync } from 'react-dom'

import { shapeKind } from '../config'
import { boundsOf, moved, valueOf, type Point, type Rect, type Shape, type Size } from '../geometry'
import { useLatest, useStore } from '../hooks'
import { withGeometry } from '../result'
import type { EditorStore } from '../store'
import { finished, isPathway, pressed, pulled, released, rulesOf, shortened, type Drawing } from './drawing'
import { pictureAt, type Picture } from './paint'
import type { useMasks } from './useMasks'
import { panned, toImage, zoomed, type Placing } from './view'

/** In pixels of the screen: how near is near, for a mouse and for a finger. */
const REACH = { fine: 5, coarse: 12 }
const MOVED = 4

type Gesture =
  | { readonly kind: 'pan'; last: Point }
  | { readonly kind: 'pick'; readonly from: Point; readonly id: string }
  | { readonly kind: 'pinch'; distance: number; middle: Point }
  | { readonly kind: 'draw' }
  | { readonly kind: 'paint' }
  | { readonly kind: 'group'; readonly from: Point; readonly ids: ReadonlySet<string>; readonly hit: string; readonly room: Rect }

export interface Lifted {
  readonly ids: ReadonlySet<string>
  readonly by: Point
}

export function usePointer(given: {
  object: string
  stage: RefObject<Konva.Stage | null>
  size: Size | null
  box: Size
  placing: Placing
  place: (change: (before: Placing) => Placing) => void
  pictures: readonly Picture[]
  space: RefObject<boolean>
  masks: ReturnType<typeof useMasks>
  /** Regions that are moved together, and how far; null when none are. */
  onLift: (lifted: Lifted | null) => void
  instance: (id: string) => string[]
}) {
  const editor = useStore()
  const [drawing, setDrawing] = useState<Drawing | null>(null)
  const [at, setAt] = useState<Point | null>(null)
  const [hover, setHover] = useState<string | null>(null)
  const [panning, setPanning] = useState(false)
  const gesture = useRef<Gesture | null>(null)
  const fingers = useRef(new Map<number, Point>())

  const screen = (event: { clientX: number; clientY: number; currentTarget: Element }): Point => {
    const frame = event.currentTarget.getBoundingClientRect()
    return { x: event.clientX - frame.left, y: event.clientY - frame.top }
  }
  const reachOf = (event: PointerEvent) => REACH[event.pointerType === 'touch' ? 'coarse' : 'fine'] / given.placing.scale
  const brush = () => {
    const drawer = editor.drawer
    return !editor.state.readOnly && drawer?.to === given.object && !editor.state.relating ? shapeKind(drawer.type) : null
  }

  /** How far a group is moved, in whole pixels of the image, so that all of it stays inside; null for no way at all. */
  const together = (now: Extract<Gesture, { kind: 'group' }>, where: Point, size: Size): Point | null => {
    const [across, down] = [where.x - now.from.x, where.y - now.from.y]
    if (Math.hypot(across, down) < MOVED) return null
    const { scale } = given.placing
    const fit = (way: number, low: number, high: number) => Math.min(Math.max(Math.round(way / scale), Math.ceil(-low)), Math.floor(high))
    return { x: fit(across, now.room.x, size.width - now.room.x - now.room.width), y: fit(down, now.room.y, size.height - now.room.y - now.room.height) }
  }

  const onDoubleClick = (event: MouseEvent<HTMLElement>) => {
    const hit = brush() ? null : pictureAt(given.pictures, toImage(given.placing, screen(event)), REACH.fine / given.placing.scale, false)
    const whole = hit && !hit.ghost ? given.instance(hit.id) : []
    if (whole.length > 1) editor.select(whole)
  }

  const finish = (shape: Shape | undefined) => {
    if (!shape) return
    // Nothing is drawn by a hair's breadth.
    if (shape.kind === 'rectangle' && (shape.width < 1 || shape.height < 1)) return
    if (shape.kind === 'ellipse' && (shape.radiusX < 0.5 || shape.radiusY < 0.5)) return
    const id = editor.addShape(shape)
    if (!id) return
    // Something is to be said about it: it stays selected for that. Otherwise the next one can be drawn at once.
    const asked = editor.config.controls.some((control) => control.per_region && control.to === given.object)
    editor.select(asked ? [id] : [])
  }

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (!given.size) return
    const where = screen(event)
    event.currentTarget.focus({ preventScroll: true })
    fingers.current.set(event.pointerId, where)
    if (fingers.current.size === 2) {
      const [a, b] = [...fingers.current.values()] as [Point, Point]
      gesture.current = { kind: 'pinch', distance: Math.hypot(a.x - b.x, a.y - b.y), middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } }
      if (!drawing || !isPathway(drawing)) setDrawing(null)
      given.masks.cancel()
      return
    }
    if (event.button === 1 || (event.button === 0 && given.space.current)) {
      event.preventDefault()
      event.currentTarget.setPointerCapture(event.pointerId)
      gesture.current = { kind: 'pan', last: where }
      setPanning(true)
      return
    }
    if (event.button !== 0) return
    if (!drawing && given.stage.current?.getIntersection(where)) return
    const point = toImage(given.placing, where)
    const kind = event.ctrlKey || event.metaKey ? null : brush()
    if (kind === 'brush') {
      event.currentTarget.setPointerCapture(event.pointerId)
      if (given.masks.down(event, where)) gesture.current = { kind: 'paint' }
      return
    }
    if (kind) {
      const next = pressed(drawing, kind, point, given.size, reachOf(event) * 2, rulesOf(editor.drawer))
      event.currentTarget.setPointerCapture(event.pointerId)
      gesture.current = { kind: 'draw' }
      setDrawing(next.drawing)
      finish(next.made)
      return
    }
    const hit = pictureAt(given.pictures, point, reachOf(event), false)
    if (hit?.ghost) {
      if (!editor.state.readOnly) editor.accept(new Set([hit.id]))
      editor.select([hit.id])
    } else if (hit) {
      if (event.shiftKey) editor.select(toggled(editor.state.selected, hit.id))
      else if (editor.state.selected.size > 1 && editor.state.selected.has(hit.id) && !editor.state.readOnly && !editor.state.relating) {
        const ids = new Set([...editor.state.selected].filter((id) => editor.editable(id)))
        const corners = given.pictures.flatMap(({ id, box }) => (ids.has(id) ? [{ x: box.x, y: box.y }, { x: box.x + box.width, y: box.y + box.height }] : []))
        event.currentTarget.setPointerCapture(event.pointerId)
        gesture.current = { kind: 'group', from: where, ids, hit: hit.id, room: boundsOf(corners) }
      }
      else {
        flushSync(() => editor.select([hit.id]))
        gesture.current = { kind: 'pick', from: where, id: hit.id }
      }
    } else {
      if (!editor.state.relating && !event.shiftKey) editor.select([])
      event.currentTarget.setPointerCapture(event.pointerId)
      gesture.current = { kind: 'pan', last: where }
      setPanning(true)
    }
  }

  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    if (!given.size) return
    const size = given.size
    const where = screen(event)
    if (fingers.current.has(event.pointerId)) fingers.current.set(event.pointerId, where)
    const now = gesture.current
    if (now?.kind === 'pinch') {
      const [a, b] = [...fingers.current.values()] as [Point, Point | undefined]
      if (!b) return
      const distance = Math.hypot(a.x - b.x, a.y - b.y)
      const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
      const { distance: before, middle: from } = now
      given.place((placing) => zoomed(panned(placing, middle.x - from.x, middle.y - from.y, size, given.box), distance / (before || 1), middle, size, given.box))
      gesture.current = { kind: 'pinch', distance, middle }
      return
    }
    if (now?.kind === 'pan') {
      const { last } = now
      given.place((placing) => panned(placing, where.x - last.x, where.y - last.y, size, given.box))
      now.last = where
      return
    }
    if (now?.kind === 'group') {
      const by = together(now, where, size)
      if (by) given.onLift({ ids: now.ids, by })
      return
    }
    if (now?.kind === 'pick') {
      if (Math.hypot(where.x - now.from.x, where.y - now.from.y) < MOVED) return
      gesture.current = null
      const node = given.stage.current?.findOne(`#${now.id}`)
      if (!node?.draggable()) return
      // It is held where it was pressed, not where the pointer has got to meanwhile.
      const from = node.absolutePosition()
      node.absolutePosition({ x: from.x + where.x - now.from.x, y: from.y + where.y - now.from.y })
      node.startDrag(event.nativeEvent)
      return
    }
    const paints = brush() === 'brush'
    given.masks.hover(paints && event.pointerType !== 'touch' ? where : null)
    if (now?.kind === 'paint') {
      const frame = event.currentTarget.getBoundingClientRect()
      given.masks.move(event, where, (one) => ({ x: one.clientX - frame.left, y: one.clientY - frame.top }))
      return
    }
    const point = toImage(given.placing, where)
    if (drawing) setDrawing(pulled(drawing, point, size, event.shiftKey))
    if (paints) setHover(null)
    else if (brush()) setAt(where)
    else {
      if (at) setAt(null)
      const found = event.pointerType === 'touch' ? null : (pictureAt(given.pictures, point, reachOf(event), false)?.id ?? null)
      if (found !== hover) setHover(found)
    }
  }

  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    fingers.current.delete(event.pointerId)
    const now = gesture.current
    gesture.current = null
    if (panning) setPanning(false)
    if (now?.kind === 'group' && given.size) {
      const by = together(now, screen(event), given.size)
      given.onLift(null)
      if (by && event.type !== 'pointercancel') moveAll(editor, now.ids, by)
      // A press without a way means this one alone.
      else if (!by) editor.select([now.hit])
    }
    if (now?.kind === 'paint') {
      if (event.type === 'pointercancel') given.masks.cancel()
      else given.masks.up()
    }
    if (now?.kind !== 'draw' || !drawing || event.type === 'pointercancel') return
    const reach = MOVED / given.placing.scale
    const next = released(drawing, reach)
    if (next.click) {
      // On the edge of a region a click means that region, not the first corner of another.
      const hit = pictureAt(given.pictures, toImage(given.placing, screen(event)), reachOf(event), true)
      if (hit && !hit.ghost) {
        setDrawing(null)
        editor.select([hit.id])
        return
      }
    }
    setDrawing(next.drawing)
    finish(next.made)
  }

  const onPointerLeave = () => {
    given.masks.hover(null)
    setAt(null)
    setHover(null)
  }

  const cancel = useLatest(() => {
    setDrawing(null)
    return given.masks.cancel() || drawing !== null
  })
  const busy = useLatest(() => drawing !== null || gesture.current !== null)
  const end = useLatest(() => {
    if (!drawing) return false
    const next = finished(drawing, rulesOf(editor.drawer))
    setDrawing(next.drawing)
    finish(next.made)
    return true
  })
  const removeLast = useLatest(() => {
    if (!drawing) return false
    setDrawing(shortened(drawing))
    return true
  })

  return { drawing, at, hover, panning, busy, cancel, end, removeLast, handlers: { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: onPointerUp, onPointerLeave, onDoubleClick } }
}

function toggled(selected: ReadonlySet<string>, id: string): Set<string> {
  const now = new Set(selected)
  if (!now.delete(id)) now.add(id)
  return now
}

/** Regions of one image together, one step of undo. */
function moveAll(editor: EditorStore, ids: ReadonlySet<string>, by: Point): void {
  let next = editor.state.result
  for (const region of editor.regions) {
    const shape = ids.has(region.id) && editor.editable(region.id) ? editor.shape(region) : null
    if (shape) next = withGeometry(next, region.id, valueOf(moved(shape, by.x, by.y), editor.sizeOf(region)))
  }
  editor.apply(next, `${ids.size} regions moved`)
}
