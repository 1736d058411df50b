/** The boxes of this frame over the video: drawn, moved and sized by mouse, pen or finger. */
import { useRef, useState, useSyncExternalStore, type PointerEvent } from 'react'

import { useStore, useStoreState } from '../hooks'
import { titleOf, type Drawn } from '../result'
import type { Player } from '../time/media'
import classes from '../time/time.module.css'
import { boxAt, sequenceOf, type Box } from './track'
import type { Tracks } from './useTracks'

type Corner = readonly [-1 | 0 | 1, -1 | 0 | 1]
const CORNERS: readonly Corner[] = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]]
const FAR = 0.4
/** Of more boxes than this the names are not drawn while they move: nobody could read them, and they cost most. */
const NAMED = 30

type Drag = { kind: 'draw'; x: number; y: number } | { kind: 'move' | 'size'; region: Drawn; box: Box; x: number; y: number; corner: Corner; turn: number }

let turns = 0

function between(a: { x: number; y: number }, b: { x: number; y: number }): Box {
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y), rotation: 0 }
}

function sized(box: Box, [across, down]: Corner, dx: number, dy: number): Box {
  const from = { x: across === -1 ? box.x + dx : box.x, y: down === -1 ? box.y + dy : box.y }
  const to = { x: box.x + box.width + (across === 1 ? dx : 0), y: box.y + box.height + (down === 1 ? dy : 0) }
  return { ...between(from, to), rotation: box.rotation }
}

const clamp = (value: number) => Math.max(0, Math.min(100, value))

export function Boxes({ player, tracks, regions, ghosts }: { player: Player; tracks: Tracks; regions: readonly Drawn[]; ghosts: readonly Drawn[] }) {
  const editor = useStore()
  const frame = useSyncExternalStore(player.subscribe, tracks.frame)
  const playing = useSyncExternalStore(player.subscribe, () => player.state.playing)
  const selected = useStoreState((state) => state.selected)
  const accepted = useStoreState((state) => state.accepted)
  const readOnly = useStoreState((state) => state.readOnly)
  const brush = useStoreState((state) => state.brush)
  const svg = useRef<SVGSVGElement>(null)
  const drag = useRef<Drag | null>(null)
  const [drawn, setDrawn] = useState<Box | null>(null)

  const spot = (event: PointerEvent) => {
    const { left, top, width, height } = svg.current!.getBoundingClientRect()
    return { x: clamp(((event.clientX - left) / width) * 100), y: clamp(((event.clientY - top) / height) * 100) }
  }
  const hold = (event: PointerEvent, next: Drag) => {
    svg.current?.setPointerCapture(event.pointerId)
    drag.current = next
    player.pause()
  }
  const grab = (event: PointerEvent, region: Drawn, box: Box, corner: Corner | null, ghost = false) => {
    if (event.button !== 0 || (brush && !corner && !selected.has(region.id) && !ghost && !event.ctrlKey)) return
    event.stopPropagation()
    if (ghost && !readOnly) editor.accept(new Set([region.id]))
    if (!corner) editor.select(event.shiftKey ? [...selected, region.id] : [region.id])
    if (!readOnly && !ghost && editor.editable(region.id)) hold(event, { kind: corner ? 'size' : 'move', region, box, corner: corner ?? [0, 0], turn: ++turns, ...spot(event) })
  }
  const onMove = (event: PointerEvent) => {
    const now = drag.current
    if (!now) return
    const here = spot(event)
    if (now.kind === 'draw') return setDrawn(between(now, here))
    const region = editor.region(now.region.id)
    const [dx, dy] = [here.x - now.x, here.y - now.y]
    if (!region || Math.hypot(dx, dy) < FAR) return
    const box = now.kind === 'move' ? { ...now.box, x: now.box.x + dx, y: now.box.y + dy } : sized(now.box, now.corner, dx, dy)
    tracks.place(region, box, now.kind === 'move' ? 'moved' : 'sized', `drag:${now.turn}`)
  }
  const onUp = (event: PointerEvent) => {
    const now = drag.current
    drag.current = null
    setDrawn(null)
    if (now?.kind !== 'draw') return
    const box = between(now, spot(event))
    if (event.type !== 'pointercancel' && box.width > 1 && box.height > 1) tracks.draw(box)
    else editor.select([])
  }
  const shown = [...regions.map((region) => ({ region, ghost: false })), ...ghosts.map((region) => ({ region, ghost: true }))].flatMap(({ region, ghost }) => {
    const box = boxAt(sequenceOf(region), frame)
    return box ? [{ region, box, ghost, dashed: ghost || (region.main.origin === 'prediction' && !accepted.has(region.id)) }] : []
  })
  return (
    <svg
      ref={svg}
      className={classes.boxes}
      aria-hidden
      data-draws={(brush && !readOnly) || undefined}
      data-frame={frame}
      onPointerDown={(event) => {
        if (event.button !== 0) return
        if (!brush || readOnly) return editor.select([])
        hold(event, { kind: 'draw', ...spot(event) })
      }}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={onUp}
    >
      {shown.map(({ region, box, ghost, dashed }) => {
        const chosen = selected.has(region.id)
        return (
          <g key={region.id} data-box={region.id}>
            <rect
              {...place(box)}
              fill={region.color}
              fillOpacity={chosen ? 0.22 : 0.1}
              stroke={region.color}
              strokeWidth={chosen ? 3 : 2}
              strokeDasharray={dashed ? '6 4' : undefined}
              style={box.rotation ? { transform: `rotate(${box.rotation}deg)`, transformBox: 'fill-box', transformOrigin: '0 0' } : undefined}
              onPointerDown={(event) => grab(event, region, box, null, ghost)}
            />
            {(chosen || !playing || shown.length <= NAMED) && (
              <text className={classes.name} x={`${box.x}%`} y={`${box.y}%`} dx={4} dy={box.y < 6 ? 14 : -5}>
                {titleOf(region)}
              </text>
            )}
          </g>
        )
      })}
      {!readOnly &&
        shown
          .filter(({ region }) => selected.size === 1 && selected.has(region.id) && editor.editable(region.id))
          .flatMap(({ region, box }) =>
            CORNERS.map((corner) => (
              <circle
                key={corner.join()}
                cx={`${box.x + (box.width * (corner[0] + 1)) / 2}%`}
                cy={`${box.y + (box.height * (corner[1] + 1)) / 2}%`}
                r={6}
                fill="#fff"
                stroke={region.color}
                strokeWidth={2}
                onPointerDown={(event) => grab(event, region, box, corner)}
              />
            )),
          )}
      {drawn && <rect {...place(drawn)} fill="none" stroke="#fff" strokeWidth={2} strokeDasharray="4 3" />}
    </svg>
  )
}

function place(box: Box) {
  return { x: `${box.x}%`, y: `${box.y}%`, width: `${box.width}%`, height: `${box.height}%` }
}
