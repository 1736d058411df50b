/** Making and changing segments: what is being marked, and what the commands do with it. */
import { useRef } from 'react'

import { controlOf, type LabelObject } from '../config'
import type { Brush, View } from '../state'
import type { EditorStore } from '../store'
import type { Media, Player } from '../time/media'
import { NUDGE, nextEdge, SHORTEST, withEdge, type Segment } from './segments'

interface Given {
  editor: EditorStore
  object: LabelObject
  player: Player
  segments: readonly Segment[]
  again: () => void
}

export interface Marking {
  /** What is marked now, or is growing with the time. */
  mark(): { start: number; end: number } | null
  setMark(mark: { start: number; end: number } | null): void
  /** Makes a segment with the label that is drawn with; keeps it marked where there is none. */
  made(start: number, end: number): void
  view: Partial<View>
}

/** Enter makes a segment of so many seconds. */
const USUAL = 2

export function useSegments({ editor, object, player, segments, again }: Given): Marking {
  /** Where [ was pressed; then what is marked and waits for a label. */
  const open = useRef<number | null>(null)
  const pending = useRef<{ start: number; end: number } | null>(null)

  const mark = () => {
    if (open.current === null) return pending.current
    const { time } = player.state
    return { start: Math.min(open.current, time), end: Math.max(open.current, time) }
  }
  const setMark = (next: { start: number; end: number } | null) => {
    open.current = null
    pending.current = next
    again()
  }
  const add = (brush: Brush, part: { start: number; end: number }): boolean => {
    const control = controlOf(editor.config, brush.control)
    if (!control || control.to !== object.name || control.type !== 'labels' || editor.state.readOnly || part.end - part.start < SHORTEST) return false
    setMark(null)
    const id = editor.add(control, { start: round(part.start), end: round(part.end), channel: 0 }, brush.label)
    if (id) editor.select([id])
    return id !== null
  }
  const made = (start: number, end: number) => {
    const part = { start: Math.min(start, end), end: Math.max(start, end) }
    const { brush } = editor.state
    if (!brush || !add(brush, part)) {
      setMark(part)
      editor.announce('Marked: choose a label')
    }
  }
  const chosen = (): Segment | undefined => {
    const { current } = editor
    return current && segments.find((segment) => segment.id === current.id)
  }
  const set = (id: string, part: { start: number; end: number }, word: string, together: string) => editor.setTimed(id, { start: round(part.start), end: round(part.end) }, word, together)

  const media: Media = {
    toggle: () => player.toggle(),
    playSelection: () => {
      const part = chosen() ?? pending.current
      if (!part) return false
      player.play(part.start, part.end)
      return true
    },
    loop: () => player.setLoop(chosen() ?? pending.current),
    step: (by, far) => player.seek(player.state.time + by * (far ? 5 : 1)),
    jump: (to) => player.seek(to === 'start' ? 0 : player.state.duration),
    faster: (by) => editor.announce(`${player.faster(by)} times as fast`),
    mark: (side) => {
      const { time, duration } = player.state
      const segment = chosen()
      if (side === -1) {
        if (segment && time > segment.start && time < segment.end - SHORTEST) return set(segment.id, withEdge(segment, 'start', time, duration), 'begins here', '')
        pending.current = null
        open.current = time
        editor.set({ selected: new Set() })
        editor.announce('A segment begins here')
        return again()
      }
      if (open.current !== null) return made(open.current, time)
      if (segment && time > segment.start + SHORTEST) set(segment.id, withEdge(segment, 'end', time, duration), 'ends here', '')
    },
    edge: (by) => {
      const edge = nextEdge(segments, player.state.time, by)
      if (edge !== null) player.seek(edge)
      return edge !== null
    },
    nudge: (dx, _dy, end) => {
      const segment = chosen()
      if (!segment) return false
      const edge = end ? 'end' : 'start'
      const next = withEdge(segment, edge, segment[edge] + dx * NUDGE, player.state.duration)
      set(segment.id, next, `${edge} ${next[edge].toFixed(2)} seconds`, `nudge:${edge}:${segment.id}`)
      return true
    },
    key: () => false,
    split: () => false,
    merge: () => false,
  }

  const view: Partial<View> = {
    media,
    label: (brush) => {
      const part = mark()
      return part !== null && add(brush, part)
    },
    finish: () => {
      if (open.current !== null) {
        made(open.current, player.state.time)
        return true
      }
      const { brush } = editor.state
      const { time, duration } = player.state
      return brush !== null && add(brush, pending.current ?? { start: Math.min(time, Math.max(0, duration - SHORTEST)), end: Math.min(time + USUAL, duration) })
    },
    cancel: () => {
      const had = mark() !== null
      setMark(null)
      return had
    },
  }
  return { mark, setMark, made, view }
}

/** To a millisecond: what is heard is not finer, and a file says it in few signs. */
function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
