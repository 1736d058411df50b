/**
 * Painting, erasing and the magic wand. A stroke lives in bits outside React and on a canvas of its own, of which only what changed
 * is drawn again; when the hand is lifted it becomes the region's mask, one step of undo.
 */
import { useEffect, useLayoutEffect, useRef, useState, type PointerEvent, type RefObject } from 'react'
import { flushSync } from 'react-dom'

import { controlOf, optionOf } from '../config'
import type { Point, Rect, Size } from '../geometry'
import { useLatest, useStore, useStoreState } from '../hooks'
import { rebased } from '../mask/joining'
import { holds, layBits, maskOf, ofBits, type Mask } from '../mask/mask'
import { paintBits, type Lie } from '../mask/sheet'
import { joined, stroke } from '../mask/stroke'
import { coloursOf, flooded, floodedInPieces, laidInto, reached, shrinkTo, type Colours, type Reached } from '../mask/wand'
import type { Picture } from './paint'
import type { TileCache } from './tiles/cache'
import { toImage, type Placing } from './view'

/** The wand is previewed on so many pixels, and done on so many. */
const PREVIEWED = 400_000
const DONE = 40_000_000
/** Pixels of the screen that the pointer is drawn for one step of tolerance. */
const DRAWN = 3

interface Work {
  readonly tool: 'brush' | 'eraser' | 'wand'
  /** The region that is changed; null: a new one. */
  readonly region: string | null
  /** Its mask when the work began. */
  readonly base: Mask
  readonly value: 0 | 1
  readonly tint: { readonly color: string; readonly alpha: number }
  readonly from: Point
  readonly start: Point
  bits: Uint8Array | null
  last: Point
  part: Rect
  seen: { bits: Uint8Array; size: Size; part: Rect } | null
}

export function useMasks(given: {
  object: string
  /** The image, or of a large one the overview, whose tiles are `tiles` once they are there. */
  image: RefObject<HTMLImageElement | null>
  tiles: TileCache | null
  live: RefObject<HTMLCanvasElement | null>
  cursor: RefObject<HTMLDivElement | null>
  size: Size | null
  box: Size
  placing: Placing
  pictures: readonly Picture[]
}) {
  const editor = useStore()
  const [painting, setPainting] = useState<string | null>(null)
  const work = useRef<Work | null>(null)
  const colours = useRef<{ image: string; small: Colours | null; full: Colours | null } | null>(null)
  const filling = useRef(0)
  const tools = useStoreState((state) => state.masks)
  const { size, box, placing, live, cursor } = given

  const lie = (): Lie => {
    const ratio = (live.current?.width ?? 0) / (box.width || 1)
    return { scale: placing.scale * ratio, left: placing.x * ratio, top: placing.y * ratio }
  }
  const draw = (part: Rect | null) => {
    const now = work.current
    const context = live.current?.getContext('2d')
    if (!context) return
    if (!part) context.clearRect(0, 0, context.canvas.width, context.canvas.height)
    if (!now || !size) return
    if (now.seen) {
      // The preview of the wand lies on a smaller image.
      const whole = lie()
      paintBits(context, now.seen.bits, now.seen.size, { ...whole, scale: (whole.scale * size.width) / now.seen.size.width }, now.seen.part, now.tint)
    } else if (now.bits) paintBits(context, now.bits, size, lie(), part ?? now.part, now.tint)
  }
  const redraw = useLatest(() => draw(null))
  useLayoutEffect(() => redraw(), [redraw, placing, box])
  useEffect(() => () => void filling.current++, [])

  const lookAt = (which: 'small' | 'full'): Colours | null => {
    const image = given.image.current
    if (!image || !size) return null
    if (colours.current?.image !== image.src) colours.current = { image: image.src, small: null, full: null }
    return (colours.current[which] ??= coloursOf(image, shrinkTo({ width: image.naturalWidth, height: image.naturalHeight }, which === 'small' ? PREVIEWED : DONE)))
  }

  /** Where a stroke is drawn: one byte for each pixel of the image, used again for the next. */
  const spare = useRef<Uint8Array | null>(null)
  const bitsWith = (base: Mask): Uint8Array => {
    const bits = spare.current?.length === base.width * base.height ? spare.current : new Uint8Array(base.width * base.height)
    spare.current = null
    layBits(bits, base)
    return bits
  }
  const giveBack = (bits: Uint8Array, part: Rect) => {
    if (!size) return
    bits.fill(0, Math.max(0, Math.floor(part.y)) * size.width, Math.ceil(part.y + part.height) * size.width)
    spare.current = bits
  }

  /** Which mask is changed: the selected one; to erase without one, that under the pointer. */
  const target = (at: Point, erases: boolean): { id: string | null } | null => {
    const { current } = editor
    if (current?.kind === 'brush' && current.to === given.object) {
      if (editor.editable(current.id)) return { id: current.id }
      editor.announce('The mask is locked')
      return null
    }
    if (!erases) return { id: null }
    const under = given.pictures.findLast((picture) => !picture.ghost && picture.shape.kind === 'brush' && holds(picture.shape.mask, at) && editor.editable(picture.id))
    if (under) return { id: under.id }
    editor.announce('Select a mask to erase from')
    return null
  }

  const down = (event: PointerEvent<HTMLElement>, where: Point): boolean => {
    if (!size) return false
    const at = toImage(placing, where)
    const { tool } = editor.state.masks
    const erases = tool === 'eraser' || event.altKey
    const found = target(at, erases)
    const brush = editor.state.brush
    if (!found || !brush) return false
    filling.current++
    const picture = given.pictures.find((one) => one.id === found.id)
    const color = picture?.color ?? optionOf(controlOf(editor.config, brush.control), brush.label)?.color ?? '#2563eb'
    const alpha = Math.min(0.85, (picture?.fill ?? editor.drawer?.opacity ?? 0.5) * (editor.state.looks.masks / 100) + 0.1)
    const base = picture?.shape.kind === 'brush' ? picture.shape.mask : maskOf(size, [])
    const wand = tool === 'wand'
    work.current = {
      tool,
      region: found.id,
      base,
      value: erases ? 0 : 1,
      tint: wand && erases ? { color: '#ffffff', alpha: 0.75 } : { color, alpha },
      from: at,
      start: where,
      bits: wand ? null : bitsWith(base),
      last: at,
      part: base.bounds,
      seen: null,
    }
    if (found.id) editor.select([found.id])
    if (wand) preview(where)
    else {
      flushSync(() => setPainting(found.id))
      draw(null)
      reach(at)
    }
    return true
  }

  const reach = (at: Point) => {
    const now = work.current
    if (!now?.bits || !size) return
    const part = stroke(now.bits, size, now.last, at, editor.state.masks.size / 2, now.value)
    now.last = at
    now.part = joined(now.part, part)
    draw(part)
  }

  /** Further away more colours are alike. */
  const tolerance = (where: Point) => Math.min(255, Math.round(editor.state.masks.tolerance + Math.hypot(where.x - (work.current?.start.x ?? 0), where.y - (work.current?.start.y ?? 0)) / DRAWN))

  const preview = (where: Point) => {
    const now = work.current
    const small = lookAt('small')
    if (!now || !small || !size) return
    const seed = { x: (now.from.x * small.width) / size.width, y: (now.from.y * small.height) / size.height }
    const { bits, part } = flooded(small, seed, tolerance(where))
    now.seen = { bits, size: small, part }
    now.last = where
    draw(null)
    if (cursor.current) cursor.current.dataset.tolerance = String(tolerance(where))
  }

  const move = (event: PointerEvent<HTMLElement>, where: Point, toScreen: (event: { clientX: number; clientY: number }) => Point) => {
    const now = work.current
    if (!now) return
    if (now.tool === 'wand') return preview(where)
    const passed = event.nativeEvent.getCoalescedEvents?.() ?? []
    for (const one of passed.length > 0 ? passed : [event]) reach(toImage(placing, toScreen(one)))
  }

  const clear = () => {
    const now = work.current
    if (now?.bits) giveBack(now.bits, now.part)
    work.current = null
    if (cursor.current) delete cursor.current.dataset.tolerance
    draw(null)
    setPainting(null)
  }

  const keep = (now: Work, bits: Uint8Array, part: Rect) => {
    if (!size) return clear()
    const made = ofBits(bits, size, part)
    const region = now.region && editor.region(now.region)
    const shape = region ? editor.shape(region) : null
    // Somebody else may have painted in it meanwhile: theirs stays.
    const mask = shape?.kind === 'brush' ? rebased(now.base, made, shape.mask) : made
    // Drawn by the layer below before the stroke's own canvas is wiped: nothing flickers.
    flushSync(() => {
      if (now.region) editor.setShape(now.region, { kind: 'brush', mask }, now.value ? (now.tool === 'wand' ? 'widened' : 'painted') : 'erased')
      else if (mask.area > 0) {
        const id = editor.addShape({ kind: 'brush', mask })
        if (id) editor.select([id])
      }
      setPainting(null)
    })
    clear()
  }

  const up = () => {
    const now = work.current
    if (!now || !size) return
    if (now.bits) return keep(now, now.bits, now.part)
    const turn = ++filling.current
    const wanted = tolerance(now.last)
    const stopped = () => turn !== filling.current
    editor.set({ masks: { ...editor.state.masks, busy: true } })
    void fill(now, wanted, stopped).then((found) => {
      editor.set({ masks: { ...editor.state.masks, busy: false } })
      if (work.current !== now) return
      if (!found) return clear()
      const bits = bitsWith(now.base)
      const part = joined(now.base.bounds, laidInto(bits, size, found.filled, found.colours, now.value, found.lying))
      keep(now, bits, part)
      giveBack(bits, part)
    })
  }

  const fill = async (now: Work, wanted: number, stopped: () => boolean): Promise<Reached | null> => {
    if (!size) return null
    const { tiles } = given
    if (tiles) {
      const { seen } = now
      const by = seen ? size.width / seen.size.width : 1
      const guess = seen ? { x: seen.part.x * by, y: seen.part.y * by, width: seen.part.width * by, height: seen.part.height * by } : { ...now.from, width: 1, height: 1 }
      const found = await reached(size, now.from, wanted, guess, DONE, (level, part) => tiles.colours(level, part, stopped), stopped)
      if (!found && !stopped()) editor.announce('The picture did not come; try the wand again')
      return found
    }
    const full = lookAt('full')
    if (!full) return null
    const [across, down] = [size.width / full.width, size.height / full.height]
    const filled = await floodedInPieces(full, { x: now.from.x / across, y: now.from.y / down }, wanted, stopped)
    return filled && { filled, colours: full, lying: { x: 0, y: 0, across, down } }
  }

  const cancel = (): boolean => {
    const was = work.current !== null
    filling.current++
    if (was) clear()
    return was
  }

  /** The circle that shows the brush follows the pointer outside React. */
  const hover = (where: Point | null) => {
    const element = cursor.current
    if (!element) return
    element.hidden = where === null
    if (where) element.style.translate = `${where.x}px ${where.y}px`
  }

  return { painting, tools, down, move, up, cancel, hover }
}
