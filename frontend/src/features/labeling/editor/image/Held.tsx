/** The one selected shape with its handles: moved, sized and turned by hand. Only its own layer is drawn meanwhile. */
import Konva from 'konva'
import { useEffect, useRef, useState } from 'react'
import { Circle, Line, Rect, Shape as KonvaShape, Transformer } from 'react-konva'

import { clamped, clampPoint, distanceToSegment, isOpen, isPath, moved, pushedInside, withoutPoint, withPoint, type Path, type Point, type Shape, type Size } from '../geometry'
import { useLatest, useStore } from '../hooks'
import type { Mask } from '../mask/mask'
import { paintMasks } from '../mask/sheet'
import { against, paintPoint, tintOf, withAlpha, type Picture } from './paint'
import type { Placing } from './view'

Konva.dragButtons = [0]

const CORNERS = ['top-left', 'top-right', 'bottom-left', 'bottom-right']

interface HeldProps {
  picture: Picture
  size: Size
  placing: Placing
  /** May it be changed at all, and its body be dragged (not while another is drawn over it)? */
  editable: boolean
  movable: boolean
  canRotate: boolean
  coarse: boolean
  onChange: (shape: Shape, word: string) => void
}

export function Held(props: HeldProps) {
  const { shape } = props.picture
  if (isPath(shape)) return <HeldPath {...props} shape={shape} />
  if (shape.kind === 'keypoint') return <HeldPoint {...props} shape={shape} />
  if (shape.kind === 'brush') return <HeldMask {...props} mask={shape.mask} />
  return <HeldBox {...props} shape={shape} />
}

/** Keeps a dragged node's shape inside the image. Konva asks in pixels of the stage. */
function bound(shape: Exclude<Shape, { kind: 'brush' }>, origin: Point, size: Size, placing: Placing) {
  return (to: Point): Point => {
    const [x, y] = [(to.x - placing.x) / placing.scale, (to.y - placing.y) / placing.scale]
    const inside = pushedInside(moved(shape, x - origin.x, y - origin.y), size)
    const [dx, dy] = isPath(inside) && isPath(shape) ? [inside.points[0]!.x - shape.points[0]!.x, inside.points[0]!.y - shape.points[0]!.y] : !isPath(inside) && !isPath(shape) ? [inside.x - shape.x, inside.y - shape.y] : [0, 0]
    return { x: (origin.x + dx) * placing.scale + placing.x, y: (origin.y + dy) * placing.scale + placing.y }
  }
}

function paintBody(context: CanvasRenderingContext2D, picture: Picture, px: number) {
  const { color, fill, width, dashed } = picture
  if (!isOpen(picture.shape)) {
    context.fillStyle = withAlpha(color, Math.min(0.4, fill + 0.08))
    context.fill()
  }
  context.strokeStyle = withAlpha(against(color), 0.9)
  context.lineWidth = (width + 3) * px
  context.stroke()
  context.setLineDash(dashed ? [7 * px, 5 * px] : [])
  context.strokeStyle = color
  context.lineWidth = (width + 1) * px
  context.stroke()
}

function HeldBox({ picture, shape, size, placing, editable, movable, canRotate, coarse, onChange }: HeldProps & { shape: Extract<Shape, { kind: 'rectangle' | 'ellipse' }> }) {
  const node = useRef<Konva.Shape>(null)
  const transformer = useRef<Konva.Transformer>(null)
  const round = shape.kind === 'ellipse'
  const width = round ? shape.radiusX * 2 : shape.width
  const height = round ? shape.radiusY * 2 : shape.height
  // Between the corners of a small shape there is no room for more handles.
  const small = Math.min(width, height) * placing.scale < (coarse ? 56 : 32)

  useEffect(() => {
    if (node.current) transformer.current?.nodes([node.current])
  }, [])
  useEffect(() => transformer.current?.forceUpdate(), [shape, placing])

  const read = (): Shape => {
    const at = node.current!
    const [w, h] = [at.width() * at.scaleX(), at.height() * at.scaleY()]
    at.scale({ x: 1, y: 1 })
    at.size({ width: w, height: h })
    if (round) at.offset({ x: w / 2, y: h / 2 })
    const rotation = at.rotation()
    return round ? { kind: 'ellipse', x: at.x(), y: at.y(), radiusX: w / 2, radiusY: h / 2, rotation } : { kind: 'rectangle', x: at.x(), y: at.y(), width: w, height: h, rotation }
  }
  /** What was refused (it would leave the image) shows where it is again. */
  const write = (now: Shape) => {
    if (now.kind !== 'rectangle' && now.kind !== 'ellipse') return
    node.current?.setAttrs(now.kind === 'ellipse' ? { x: now.x, y: now.y, width: now.radiusX * 2, height: now.radiusY * 2, offsetX: now.radiusX, offsetY: now.radiusY } : { x: now.x, y: now.y, width: now.width, height: now.height })
  }
  const commit = (word: string) => {
    const now = clamped(read(), size)
    write(now)
    onChange(now, word)
  }
  const trace = (context: CanvasRenderingContext2D, at: Konva.Shape) => {
    context.beginPath()
    if (round) context.ellipse(at.width() / 2, at.height() / 2, at.width() / 2, at.height() / 2, 0, 0, 2 * Math.PI)
    else context.rect(0, 0, at.width(), at.height())
  }

  return (
    <>
      <KonvaShape
        ref={node}
        id={picture.id}
        x={shape.x}
        y={shape.y}
        width={width}
        height={height}
        // An ellipse's place is its middle.
        offsetX={round ? width / 2 : 0}
        offsetY={round ? height / 2 : 0}
        rotation={shape.rotation}
        listening={movable}
        draggable={editable}
        dragBoundFunc={bound(shape, shape, size, placing)}
        onDragEnd={() => commit('moved')}
        onTransform={read}
        onTransformEnd={() => commit('changed')}
        sceneFunc={(context, at) => {
          trace(context._context, at)
          paintBody(context._context, picture, 1 / placing.scale)
        }}
        hitFunc={(context, at) => {
          trace(context._context, at)
          context.fillStrokeShape(at)
        }}
      />
      {editable && (
        <Transformer
          ref={transformer}
          rotateEnabled={canRotate}
          rotationSnaps={[0, 90, 180, 270]}
          rotationSnapTolerance={3}
          rotateAnchorOffset={coarse ? 36 : 26}
          keepRatio={false}
          flipEnabled={false}
          ignoreStroke
          enabledAnchors={small ? CORNERS : undefined}
          anchorSize={coarse ? 14 : 10}
          // Easier to hit than it looks.
          anchorStyleFunc={(anchor: Konva.Rect) => anchor.hitStrokeWidth(coarse ? 20 : 6)}
          anchorCornerRadius={2}
          anchorStroke="#0b526a"
          anchorFill="#ffffff"
          borderStroke="#0b526a"
          borderDash={[3, 3]}
          centeredScaling={false}
        />
      )}
    </>
  )
}

function HeldPath({ picture, shape, size, placing, editable, movable, coarse, onChange }: HeldProps & { shape: Path }) {
  const editor = useStore()
  const { points } = shape
  const open = isOpen(shape)
  const control = editor.config.controls.find((one) => one.name === editor.region(picture.id)?.main.from_name)
  const [least, most] = [Math.max(open ? 2 : 3, (shape.kind === 'vector' && control?.minimum) || 0), (shape.kind === 'vector' && control?.maximum) || Infinity]
  const [live, setLive] = useState(points)
  const [last, setLast] = useState(points)
  const [point, setPoint] = useState<number | null>(null)
  if (last !== points) {
    setLast(points)
    setLive(points)
  }
  const px = 1 / placing.scale
  const radius = (coarse ? 9 : 5) * px
  const commit = (next: readonly Point[], word: string) => {
    setLive(next)
    onChange({ ...shape, points: next }, word)
  }
  const removeAt = (index: number) => {
    setPoint(null)
    if (live.length > least) commit(withoutPoint(live, index, least), 'without a point')
    else editor.announce(`${shape.kind === 'polygon' ? 'A polygon' : 'The line'} keeps ${least} points`)
  }
  const removeLast = useLatest(() => {
    if (point === null || !editable) return false
    removeAt(point)
    return true
  })
  useEffect(() => {
    const object = editor.region(picture.id)?.to ?? ''
    const view = editor.views.get(object)
    if (!view) return
    const before = view.removeLast
    editor.views.set(object, { ...view, removeLast: () => removeLast() || (before?.() ?? false) })
    return () => void editor.views.set(object, view)
  }, [editor, picture.id, removeLast])

  return (
    <>
      <Line
        id={picture.id}
        points={live.flatMap((at) => [at.x, at.y])}
        closed={!open}
        listening={movable}
        draggable={editable}
        {...(open ? { stroke: '#000', hitStrokeWidth: (coarse ? 24 : 10) * px } : { fill: '#000' })}
        dragBoundFunc={bound({ ...shape, points: live }, { x: 0, y: 0 }, size, placing)}
        onDragEnd={(event) => {
          const { x, y } = event.target.position()
          event.target.position({ x: 0, y: 0 })
          commit(
            live.map((at) => ({ x: at.x + x, y: at.y + y })),
            'moved',
          )
        }}
        onPointerDown={() => setPoint(null)}
        sceneFunc={(context) => {
          const drawn = context._context
          drawn.beginPath()
          live.forEach((at, index) => (index === 0 ? drawn.moveTo(at.x, at.y) : drawn.lineTo(at.x, at.y)))
          if (!open) drawn.closePath()
          paintBody(drawn, picture, px)
        }}
        hitFunc={(context, at) => {
          context.beginPath()
          live.forEach((corner, index) => (index === 0 ? context.moveTo(corner.x, corner.y) : context.lineTo(corner.x, corner.y)))
          if (!open) context.closePath()
          context.fillStrokeShape(at)
        }}
      />
      {editable &&
        live.map((at, index) => {
          const to = live[(index + 1) % live.length]!
          if (live.length >= most || (open && index === live.length - 1)) return null
          // Between points that lie close there is no room for a handle.
          if (distanceToSegment(at, to, to) < radius * 5) return null
          return (
            <Circle
              key={`between-${index}`}
              x={(at.x + to.x) / 2}
              y={(at.y + to.y) / 2}
              radius={radius * 0.75}
              fill="#ffffff"
              opacity={0.75}
              stroke="#0b526a"
              strokeWidth={px}
              hitStrokeWidth={8 * px}
              onPointerDown={(event) => {
                event.cancelBubble = true
                const next = withPoint(live, index, { x: (at.x + to.x) / 2, y: (at.y + to.y) / 2 })
                setPoint(index + 1)
                commit(next, 'with another point')
              }}
            />
          )
        })}
      {editable &&
        live.map((at, index) => (
          <Circle
            key={index}
            x={at.x}
            y={at.y}
            radius={radius}
            fill={index === point ? '#0c6683' : '#ffffff'}
            stroke={index === point ? '#ffffff' : '#0b526a'}
            strokeWidth={1.5 * px}
            hitStrokeWidth={8 * px}
            draggable
            dragBoundFunc={(to) => {
              const inside = clampPoint({ x: (to.x - placing.x) * px, y: (to.y - placing.y) * px }, size)
              return { x: inside.x * placing.scale + placing.x, y: inside.y * placing.scale + placing.y }
            }}
            onPointerDown={(event) => {
              event.cancelBubble = true
              if (event.evt.altKey) removeAt(index)
              else setPoint(index)
            }}
            onDragMove={(event) => {
              const to = event.target.position()
              setLive((before) => before.map((other, place) => (place === index ? to : other)))
            }}
            onDragEnd={() => onChange({ ...shape, points: live }, 'changed')}
          />
        ))}
    </>
  )
}

/** Moved as a whole; it is changed by painting. Whom a press means is asked of its pixels, not of Konva. */
function HeldMask({ picture, mask, size, placing, editable, onChange }: HeldProps & { mask: Mask }) {
  const { bounds } = mask
  return (
    <KonvaShape
      id={picture.id}
      listening={false}
      draggable={editable}
      dragBoundFunc={(to) => {
        const dx = Math.min(Math.max((to.x - placing.x) / placing.scale, -bounds.x), size.width - bounds.x - bounds.width)
        const dy = Math.min(Math.max((to.y - placing.y) / placing.scale, -bounds.y), size.height - bounds.y - bounds.height)
        return { x: Math.round(dx) * placing.scale + placing.x, y: Math.round(dy) * placing.scale + placing.y }
      }}
      onDragEnd={(event) => {
        const { x, y } = event.target.position()
        event.target.position({ x: 0, y: 0 })
        onChange(moved({ kind: 'brush', mask }, x, y), 'moved')
      }}
      sceneFunc={(context) => paintMasks(context._context, [{ mask, tint: tintOf(picture) }])}
    />
  )
}

function HeldPoint({ picture, shape, size, placing, editable, onChange }: HeldProps & { shape: Extract<Shape, { kind: 'keypoint' }> }) {
  return (
    <Rect
      id={picture.id}
      x={shape.x}
      y={shape.y}
      draggable={editable}
      dragBoundFunc={(to) => {
        const inside = clampPoint({ x: (to.x - placing.x) / placing.scale, y: (to.y - placing.y) / placing.scale }, size)
        return { x: inside.x * placing.scale + placing.x, y: inside.y * placing.scale + placing.y }
      }}
      onDragEnd={(event) => onChange({ ...shape, ...event.target.position() }, 'moved')}
      sceneFunc={(context) => paintPoint(context._context, { x: 0, y: 0 }, picture.color, 1 / placing.scale, true, picture.dashed)}
      hitFunc={(context, at) => {
        context.beginPath()
        context.arc(0, 0, 12 / placing.scale, 0, 2 * Math.PI)
        context.fillStrokeShape(at)
      }}
      fill="#000"
    />
  )
}
