/**
 * An image with its regions. The picture itself is an element that the browser scales (fluid at any size, light and
 * contrast are a filter of it); above it lie Konva's layers: all regions painted in one go, and the one being edited.
 */
import { Alert, Loader } from '@mantine/core'
import { IconPhotoOff } from '@tabler/icons-react'
import type Konva from 'konva'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type CSSProperties } from 'react'
import { Layer, Line, Shape as KonvaShape, Stage } from 'react-konva'

import { controlOf, drawingControls, optionOf, shapeKind, type LabelObject } from '../config'
import { between, boundsOf, hull, outline, type Size } from '../geometry'
import { useLatest, useStore, useStoreState } from '../hooks'
import { pageOf } from '../result'
import classes from './ImageCanvas.module.css'
import { Held } from './Held'
import { isPathway } from './drawing'
import { Others } from './Others'
import { Tiles } from './tiles/Tiles'
import { usePyramid } from './tiles/usePyramid'
import { against, FONT, paint, paintPoint, withAlpha } from './paint'
import { usePictures } from './usePictures'
import { useMasks } from './useMasks'
import { usePlacing } from './usePlacing'
import { usePointer, type Lifted } from './usePointer'
import { Steady } from './steady'
import { bringing, closeTo, panned, seenOf, zoomed } from './view'

/** Larger than this the pixels themselves are wanted, not a blur of them. */
const PIXELS = 4
/** So long nobody moved the view: it is drawn in full. */
const RESTS_MS = 120

/** `picture`: in place of the item's own file, a page that was drawn; null while it is being drawn. */
export function ImageCanvas({ object, picture }: { object: LabelObject; picture?: string | null }) {
  const editor = useStore()
  const at = picture === undefined ? editor.item.pyramids?.[object.name] : undefined
  const url = at ? at.overview : picture === undefined ? (editor.item.urls[object.name] ?? '') : (picture ?? '')
  const frame = useRef<HTMLDivElement>(null)
  const stage = useRef<Konva.Stage>(null)
  const image = useRef<HTMLImageElement>(null)
  const live = useRef<HTMLCanvasElement>(null)
  const circle = useRef<HTMLDivElement>(null)
  const space = useRef(false)
  const [ready, setReady] = useState<{ url: string; size: Size } | null>(null)
  const [broken, setBroken] = useState<string | null>(null)
  const [spaceHeld, setSpaceHeld] = useState(false)
  const deep = usePyramid(at)
  const size = at ? deep.size : ready?.url === url ? ready.size : null
  const lost = at ? deep.broken : picture !== null && (url === '' || broken === url)
  const { box, placing, place, fit } = usePlacing(frame, size)
  const [lifted, setLifted] = useState<Lifted | null>(null)
  const { pictures, plan, moving, instance, held } = usePictures(object.name, size, lifted?.ids ?? null)
  const masks = useMasks({ object: object.name, image, tiles: deep.tiles, live, cursor: circle, size, box, placing, pictures })
  const pointer = usePointer({ object: object.name, stage, size, box, placing, place, pictures, space, masks, onLift: setLifted, instance })
  const [steady] = useState(() => new Steady())
  const [rested, setRested] = useState(placing)
  const looks = useStoreState((state) => state.looks)
  const texts = useLetters() && looks.texts
  const brush = useStoreState((state) => state.brush)
  const relating = useStoreState((state) => state.relating)
  const readOnly = useStoreState((state) => state.readOnly)
  const locked = useStoreState((state) => (held ? state.locked.has(held.id) : false))
  const reveal = useStoreState((state) => state.reveal)
  const coarse = useMemo(() => window.matchMedia('(pointer: coarse)').matches, [])

  // In an effect: another item may show the same image, which is not loaded again.
  useLayoutEffect(() => {
    if (size) editor.sizes[object.name] = size
    if (size && editor.state.masks.size === 0) editor.sizeBrush(Math.round(Math.min(size.width, size.height) / 20))
  }, [editor, object.name, size])

  useEffect(() => {
    const timer = setTimeout(() => setRested(placing), RESTS_MS)
    return () => clearTimeout(timer)
  }, [placing])

  const now = useLatest(() => ({ size, box, placing }))
  useEffect(() => {
    const middle = () => ({ x: now().box.width / 2, y: now().box.height / 2 })
    const change = (make: (size: Size, box: Size) => Parameters<typeof place>[0]) => {
      const { size: known, box: window } = now()
      if (known) place(make(known, window))
    }
    const boxOf = (ids: ReadonlySet<string>) => {
      const shapes = editor.regions.flatMap((region) => (ids.has(region.id) && region.to === object.name && pageOf(region) === editor.state.page ? (editor.shape(region) ?? []) : []))
      return shapes.length > 0 ? boundsOf(shapes.flatMap((shape) => [...outline(shape)])) : null
    }
    editor.views.set(object.name, {
      zoom: (by) => change((known, window) => (before) => zoomed(before, by, middle(), known, window)),
      actual: () => change((known, window) => (before) => zoomed(before, 1 / before.scale, middle(), known, window)),
      pan: (dx, dy) => change((known, window) => (before) => panned(before, dx, dy, known, window)),
      fit,
      show: (ids) => {
        const part = boxOf(ids)
        if (part) change((known, window) => () => closeTo(part, known, window))
      },
      seen: () => {
        const { size: known, box: window, placing: placed } = now()
        return known ? seenOf(placed, known, window) : { x: 0, y: 0, width: 1, height: 1 }
      },
      busy: pointer.busy,
      cancel: pointer.cancel,
      finish: pointer.end,
      removeLast: pointer.removeLast,
      focus: () => frame.current?.focus({ preventScroll: true }),
    })
    return () => void editor.views.delete(object.name)
  }, [editor, object.name, now, place, fit, pointer.busy, pointer.cancel, pointer.end, pointer.removeLast])

  useEffect(() => {
    const region = reveal && editor.region(reveal.id)
    const shape = region && region.to === object.name && pageOf(region) === editor.state.page ? editor.shape(region) : null
    const { size: known, box: window } = now()
    if (shape && known) place((before) => bringing(before, hull(shape), known, window))
  }, [editor, reveal, object.name, now, place])

  useEffect(() => {
    const element = frame.current
    // React's own listener is passive and could not keep the page from scrolling.
    const wheel = (event: WheelEvent) => {
      event.preventDefault()
      const { size: known, box: window } = now()
      if (!known || !element) return
      const edge = element.getBoundingClientRect()
      const at = { x: event.clientX - edge.left, y: event.clientY - edge.top }
      const lines = event.deltaMode === 1 ? 16 : 1
      if (event.shiftKey) place((before) => panned(before, -(event.deltaX || event.deltaY) * lines, 0, known, window))
      else place((before) => zoomed(before, Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 400)), at, known, window))
    }
    element?.addEventListener('wheel', wheel, { passive: false })
    return () => element?.removeEventListener('wheel', wheel)
  }, [now, place])

  useEffect(() => {
    const hold = (event: KeyboardEvent) => {
      if (event.key !== ' ') return
      const here = event.target === document.body || event.target === frame.current
      space.current = event.type === 'keydown' && here
      setSpaceHeld(space.current)
      if (here) event.preventDefault()
    }
    window.addEventListener('keydown', hold)
    window.addEventListener('keyup', hold)
    return () => {
      window.removeEventListener('keydown', hold)
      window.removeEventListener('keyup', hold)
    }
  }, [])

  const drawer = brush ? editor.drawer : undefined
  const drawsHere = !readOnly && !relating && drawer?.to === object.name
  const paints = drawsHere && shapeKind(drawer?.type ?? '') === 'brush'
  const color = optionOf(brush ? controlOf(editor.config, brush.control) : undefined, brush?.label ?? '')?.color ?? '#2563eb'
  const px = 1 / placing.scale
  const cursor = pointer.panning ? 'grabbing' : spaceHeld ? 'grab' : drawsHere ? 'crosshair' : pointer.hover ? 'pointer' : 'default'
  const canDraw = !readOnly && drawingControls(editor.config, object.name).length > 0
  const many = pictures.filter((one) => !one.ghost).length
  const filter = looks.brightness === 100 && looks.contrast === 100 ? undefined : `brightness(${looks.brightness}%) contrast(${looks.contrast}%)`

  return (
    // The canvas is one widget with keys of its own (ARIA's application role); the region list says the same in words.
     
    <div
      ref={frame}
      className={classes.frame}
      style={{ cursor }}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the same: it takes the keys
      tabIndex={0}
      role="application"
      data-editor-canvas
      aria-label={`Image, ${many === 1 ? '1 region' : `${many} regions`}. Tab goes through them${canDraw ? ', Enter places one in the middle, arrows move it, Alt with arrows sizes it' : ''}.`}
      onContextMenu={(event) => event.preventDefault()}
      {...pointer.handlers}
    >
      <img
        ref={image}
        key={url}
        className={classes.image}
        src={url || undefined}
        alt=""
        draggable={false}
        data-ready={(size !== null && (!at || ready?.url === url)) || undefined}
        style={
          {
            transform: `translate(${placing.x}px, ${placing.y}px) scale(${placing.scale})`,
            filter,
            // An overview is as large as what it stands for.
            ...(at && size),
            imageRendering: placing.scale >= PIXELS ? 'pixelated' : 'auto',
            // Only meanwhile: a layer of its own keeps its first sharpness.
            willChange: pointer.panning && !at ? 'transform' : undefined,
          } satisfies CSSProperties
        }
        onLoad={(event) => {
          const loaded = { width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight }
          setReady({ url, size: loaded })
        }}
        onError={() => setBroken(url)}
      />
      {deep.tiles && size && box.width > 0 && <Tiles tiles={deep.tiles} placing={placing} box={box} size={size} turn={deep.turn} pixelated={placing.scale >= PIXELS} filter={filter} />}
      {size && box.width > 0 && (
        <Stage ref={stage} width={box.width} height={box.height} x={placing.x} y={placing.y} scaleX={placing.scale} scaleY={placing.scale} className={classes.stage}>
          <Layer listening={false}>
            <KonvaShape perfectDrawEnabled={false} sceneFunc={(context) => steady.paint(context._context, { plan, texts, placing, box, size, moving: rested !== placing })} />
          </Layer>
          <Layer>
            {held && masks.painting !== held.id && (
              <Held
                key={held.id}
                picture={held}
                size={size}
                placing={placing}
                coarse={coarse}
                editable={!readOnly && !locked && !spaceHeld && !relating}
                movable={!drawsHere && !spaceHeld && !relating}
                canRotate={editor.config.controls.find((control) => control.name === editor.region(held.id)?.main.from_name)?.can_rotate ?? false}
                onChange={(shape, word) => editor.setShape(held.id, shape, word)}
              />
            )}
            {moving && lifted && <KonvaShape listening={false} x={lifted.by.x} y={lifted.by.y} sceneFunc={(context) => paint(context._context, moving, { scale: placing.scale, seen: seenOf(placing, size, box), texts })} />}
            {drawsHere && !paints && pointer.at && !pointer.drawing && (
              <>
                <Line listening={false} points={[(pointer.at.x - placing.x) * px, -placing.y * px, (pointer.at.x - placing.x) * px, (box.height - placing.y) * px]} stroke="#ffffff" opacity={0.7} strokeWidth={px} globalCompositeOperation="difference" />
                <Line listening={false} points={[-placing.x * px, (pointer.at.y - placing.y) * px, (box.width - placing.x) * px, (pointer.at.y - placing.y) * px]} stroke="#ffffff" opacity={0.7} strokeWidth={px} globalCompositeOperation="difference" />
              </>
            )}
            {pointer.drawing && (
              <KonvaShape
                listening={false}
                sceneFunc={(context) => {
                  const drawn = context._context
                  const { drawing } = pointer
                  if (!drawing) return
                  const path = isPathway(drawing) ? drawing : null
                  const corners = isPathway(drawing) ? [...drawing.points, drawing.to] : outline(between(drawing.kind, drawing.from, drawing.to))
                  drawn.beginPath()
                  corners.forEach((corner, index) => (index === 0 ? drawn.moveTo(corner.x, corner.y) : drawn.lineTo(corner.x, corner.y)))
                  if (!path) drawn.closePath()
                  drawn.fillStyle = withAlpha(color, 0.15)
                  if (drawing.kind !== 'vector') drawn.fill()
                  drawn.strokeStyle = against(color)
                  drawn.lineWidth = 4 * px
                  drawn.stroke()
                  drawn.strokeStyle = color
                  drawn.lineWidth = 2 * px
                  drawn.stroke()
                  path?.points.forEach((corner, index) => paintPoint(drawn, corner, color, px * (index === 0 ? 0.9 : 0.6), false))
                }}
              />
            )}
          </Layer>
        </Stage>
      )}
      {size && <Others object={object.name} frame={frame} size={size} placing={placing} drawing={pointer.drawing} />}
      {size && box.width > 0 && (
        <>
          <canvas ref={live} className={classes.live} width={Math.round(box.width * Math.min(2, window.devicePixelRatio))} height={Math.round(box.height * Math.min(2, window.devicePixelRatio))} aria-hidden />
          <div ref={circle} className={classes.brush} data-tool={masks.tools.tool} style={{ '--across': `${masks.tools.size * placing.scale}px`, visibility: paints && !spaceHeld && !pointer.panning ? 'visible' : 'hidden' } as CSSProperties} hidden aria-hidden />
        </>
      )}
      {!size && !lost && <Loader className={classes.waiting} aria-label="The image is loading" />}
      {lost && (
        <Alert className={classes.waiting} color="red" icon={<IconPhotoOff size={18} />} title="The image cannot be shown">
          It could not be loaded. Reload the page; if it stays so, open the item in its data set and look at the file.
        </Alert>
      )}
      {size && <div className={classes.scale} aria-hidden>{Math.round(placing.scale * 100)} %</div>}
      {at && !lost && !deep.tiles && (
        <div className={classes.making} role="status">
          The fine detail is being prepared{size ? ` · ${Math.round(deep.progress * 100)} %` : ''}
        </div>
      )}
      {size && shapeKind(drawer?.type ?? '') === 'polygon' && drawsHere && pointer.drawing && <div className={classes.hint}>Click for each corner. Enter or the first corner closes, Backspace takes one back, Esc gives up.</div>}
      {size && shapeKind(drawer?.type ?? '') === 'vector' && drawsHere && pointer.drawing && <div className={classes.hint}>Click for each point. Enter or a second click ends the line{drawer?.closable ? ', the first point closes it' : ''}, Backspace takes one back, Esc gives up.</div>}
      {size && drawsHere && drawer && drawer.skeleton.length > 0 && <div className={classes.hint}>Click: {brush?.label}. A full stop skips it, Shift K says it is hidden, Esc begins another one.</div>}
      {relating && <div className={classes.hint}>Click the region it relates to. Esc gives up.</div>}
    </div>
  )
}

/** Is the texts' font there? What is painted on a canvas before that stays as it is. */
function useLetters(): boolean {
  const [there, setThere] = useState(() => document.fonts.check(FONT))
  useEffect(() => {
    if (!there) document.fonts.load(FONT).finally(() => setThere(true))
  }, [there])
  return there
}
