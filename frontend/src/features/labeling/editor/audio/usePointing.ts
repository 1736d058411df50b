/** Mouse, pen and finger on the waveform: drag marks, the edges of the selected segment size it, its bar moves it, a click goes there. */
import { useRef, type PointerEvent, type RefObject, type WheelEvent } from 'react'

import type { EditorStore } from '../store'
import { kept, timeAt, zoomed, type Axis } from '../time/axis'
import type { Player } from '../time/media'
import { lanesTop, RULER, segmentAt } from './paint'
import { EDGE, edgeNear, moved, withEdge, type Segment } from './segments'
import type { Marking } from './useSegments'

interface Given {
  editor: EditorStore
  player: Player
  segments: readonly Segment[]
  axis: RefObject<Axis>
  look: (axis: Axis) => void
  marking: Marking
}

type Drag =
  | { kind: 'seek' }
  | { kind: 'mark'; from: number; x: number; far: boolean }
  | { kind: 'edge'; id: string; edge: 'start' | 'end'; turn: number }
  | { kind: 'move'; segment: Segment; from: number; x: number; far: boolean; turn: number }

const FAR = 4
let turns = 0

export function usePointing({ editor, player, segments, axis, look, marking }: Given) {
  const drag = useRef<Drag | null>(null)
  const place = (event: PointerEvent<HTMLCanvasElement> | WheelEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top, height: box.height }
  }
  const edgeAt = (x: number, touch: boolean): Drag | null => {
    const current = editor.current && segments.find((segment) => segment.id === editor.current?.id)
    const edge = current && editor.editable(current.id) && edgeNear(current, timeAt(axis.current, x), (touch ? 16 : EDGE) / axis.current.scale)
    return current && edge ? { kind: 'edge', id: current.id, edge, turn: ++turns } : null
  }

  return {
    down: (event: PointerEvent<HTMLCanvasElement>) => {
      if (event.button !== 0) return
      const { x, y, height } = place(event)
      const time = timeAt(axis.current, x)
      event.currentTarget.setPointerCapture(event.pointerId)
      if (y < RULER) {
        drag.current = { kind: 'seek' }
        return player.seek(time)
      }
      const edge = edgeAt(x, event.pointerType === 'touch')
      if (edge) return void (drag.current = edge)
      const segment = y >= lanesTop(height, segments) ? segmentAt(segments, axis.current, x, y, height) : null
      if (segment) {
        if (segment.ghost && !editor.state.readOnly) editor.accept(new Set([segment.id]))
        editor.select(event.shiftKey || event.ctrlKey ? [...editor.state.selected, segment.id] : [segment.id])
        drag.current = { kind: 'move', segment, from: time, x, far: false, turn: ++turns }
        return
      }
      drag.current = { kind: 'mark', from: time, x, far: false }
    },
    move: (event: PointerEvent<HTMLCanvasElement>) => {
      const { x } = place(event)
      const now = drag.current
      if (!now) return void event.currentTarget.toggleAttribute('data-edge', edgeAt(x, false) !== null)
      const time = timeAt(axis.current, x)
      const { duration } = player.state
      if (now.kind === 'seek') player.seek(time)
      else if (now.kind === 'edge') {
        const segment = segments.find((one) => one.id === now.id)
        if (segment) editor.setTimed(now.id, rounded(withEdge(segment, now.edge, time, duration)), 'sized', `drag:${now.turn}`)
      } else {
        if (!now.far && Math.abs(x - now.x) < FAR) return
        now.far = true
        if (now.kind === 'move') {
          if (editor.editable(now.segment.id)) editor.setTimed(now.segment.id, rounded(moved(now.segment, time - now.from, duration)), 'moved', `drag:${now.turn}`)
        } else if (!editor.state.readOnly) {
          const at = Math.max(0, Math.min(time, duration))
          marking.setMark({ start: Math.min(now.from, at), end: Math.max(now.from, at) })
        }
      }
    },
    up: (event: PointerEvent<HTMLCanvasElement>) => {
      const now = drag.current
      drag.current = null
      if (now?.kind !== 'mark') return
      const time = Math.max(0, Math.min(timeAt(axis.current, place(event).x), player.state.duration))
      if (now.far && !editor.state.readOnly && event.type !== 'pointercancel') return marking.made(Math.max(0, now.from), time)
      marking.setMark(null)
      player.seek(time)
    },
    wheel: (event: WheelEvent<HTMLCanvasElement>) => {
      const { x } = place(event)
      const { duration } = player.state
      if (event.ctrlKey || event.metaKey) look(zoomed(axis.current, Math.exp(-event.deltaY / 200), x, duration))
      else look(kept({ ...axis.current, from: axis.current.from + (event.deltaX + event.deltaY) / axis.current.scale }, duration))
    },
    /** On the whole in little: what is seen goes where one presses. */
    overview: (event: PointerEvent<HTMLCanvasElement>) => {
      const box = event.currentTarget.getBoundingClientRect()
      event.currentTarget.setPointerCapture(event.pointerId)
      const time = ((event.clientX - box.left) / box.width) * player.state.duration
      look(kept({ ...axis.current, from: time - axis.current.width / axis.current.scale / 2 }, player.state.duration))
    },
  }
}

function rounded(part: { start: number; end: number }): { start: number; end: number } {
  return { start: Math.round(part.start * 1000) / 1000, end: Math.round(part.end * 1000) / 1000 }
}
