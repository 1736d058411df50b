/**
 * The others who have this item open, over its image: where they point, what they have selected, what they are drawing.
 * And the way back: tells where we point and what we draw.
 */
import { IconPointerFilled } from '@tabler/icons-react'
import { useEffect, type RefObject } from 'react'

import { between, isOpen, outline, type Point, type Size } from '../geometry'
import { useLatest, useRegions, useStore, useStoreState } from '../hooks'
import { pageOf } from '../result'
import { isPathway, type Drawing } from './drawing'
import classes from './Others.module.css'
import { toImage, toScreen, type Placing } from './view'

/** Often enough to look alive, seldom enough to cost nothing. */
const TELL_MS = 40

export function Others({ object, frame, size, placing, drawing }: { object: string; frame: RefObject<HTMLElement | null>; size: Size; placing: Placing; drawing: Drawing | null }) {
  const editor = useStore()
  const peers = useStoreState((state) => state.peers)
  const regions = useRegions()
  const page = useStoreState((state) => state.page)
  const percent = (point: Point): [number, number] => [(100 * point.x) / size.width, (100 * point.y) / size.height]
  const screen = (x: number, y: number) => toScreen(placing, { x: (x / 100) * size.width, y: (y / 100) * size.height })

  const tell = useLatest((at: Point | null) => {
    const [x, y] = at ? percent(toImage(placing, at)) : [0, 0]
    editor.onPresence?.({ pointer: at && { object, x, y } })
  })
  useEffect(() => {
    const element = frame.current
    if (!element || !editor.live) return
    let last = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const move = (event: PointerEvent) => {
      const edge = element.getBoundingClientRect()
      const at = { x: event.clientX - edge.left, y: event.clientY - edge.top }
      clearTimeout(timer)
      const say = () => {
        last = Date.now()
        tell(at)
      }
      if (Date.now() - last >= TELL_MS) say()
      else timer = setTimeout(say, TELL_MS)
    }
    const leave = () => {
      clearTimeout(timer)
      tell(null)
    }
    element.addEventListener('pointermove', move)
    element.addEventListener('pointerleave', leave)
    return () => {
      leave()
      element.removeEventListener('pointermove', move)
      element.removeEventListener('pointerleave', leave)
    }
  }, [editor, frame, tell])

  const show = useLatest(() => {
    const points = !drawing ? null : isPathway(drawing) ? [...drawing.points, drawing.to] : outline(between(drawing.kind, drawing.from, drawing.to))
    editor.onPresence?.({ drawing: points && { object, points: points.slice(0, 200).map(percent), closed: !drawing || !isPathway(drawing) } })
  })
  useEffect(() => {
    if (!editor.live) return
    const timer = setTimeout(show, drawing ? TELL_MS / 2 : 0)
    return () => clearTimeout(timer)
  }, [editor, drawing, show])

  if (peers.length === 0) return null
  const line = (points: readonly Point[]) => points.map((point) => `${point.x.toFixed(1)},${point.y.toFixed(1)}`).join(' ')
  return (
    <div className={classes.others} aria-hidden>
      <svg>
        {peers.map((peer) => (
          <g key={peer.client} stroke={peer.color} fill="none">
            {regions
              .filter((region) => region.to === object && pageOf(region) === page && peer.selected.includes(region.id))
              .map((region) => {
                const shape = editor.shape(region)
                const Line = shape && isOpen(shape) ? 'polyline' : 'polygon'
                return shape && <Line key={region.id} strokeWidth={2} strokeDasharray="4 3" points={line(outline(shape).map((point) => toScreen(placing, point)))} />
              })}
            {peer.drawing?.object === object &&
              (peer.drawing.closed ? (
                <polygon data-drawing={peer.name} strokeWidth={2} fill={peer.color} fillOpacity={0.12} points={line(peer.drawing.points.map(([x, y]) => screen(x, y)))} />
              ) : (
                <polyline data-drawing={peer.name} strokeWidth={2} points={line(peer.drawing.points.map(([x, y]) => screen(x, y)))} />
              ))}
          </g>
        ))}
      </svg>
      {peers.map((peer) => {
        if (peer.pointer?.object !== object) return null
        const at = screen(peer.pointer.x, peer.pointer.y)
        return (
          <div key={peer.client} className={classes.pointer} data-pointer={peer.name} style={{ transform: `translate(${at.x}px, ${at.y}px)`, color: peer.color }}>
            <IconPointerFilled size={18} />
            <span style={{ background: peer.color }}>{peer.name}</span>
          </div>
        )
      })}
    </div>
  )
}
