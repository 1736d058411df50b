/** Making and changing tracks: what the commands and the pointer do with them. */
import type { LabelObject } from '../config'
import { copied, entriesOf, withGeometry, withoutRegions, type Drawn } from '../result'
import type { EditorStore } from '../store'
import type { Media, Player } from '../time/media'
import { begun, boxAt, ended, frameAt, hasKey, inside, merged, neighbour, sequenceOf, split, timeOf, withKey, withoutKey, type Box, type Sequence } from './track'

export interface Tracks {
  frame(): number
  count(): number
  go(frame: number): void
  /** The box of a track is elsewhere on this frame. */
  place(region: Drawn, box: Box, word: string, together: string): void
  /** A new track that begins here. */
  draw(box: Box): string | null
  media: Media
}

const NUDGE = 0.5

export function tracksOf(editor: EditorStore, object: LabelObject, player: Player, fps: number, regions: () => readonly Drawn[]): Tracks {
  const count = () => Math.max(1, Math.round(player.state.duration * fps))
  const frame = () => Math.min(frameAt(player.state.time, fps), count())
  const go = (to: number) => player.seek(timeOf(Math.max(1, Math.min(to, count())), fps))
  const whole = (sequence: Sequence) => ({ framesCount: count(), duration: player.state.duration, sequence })
  const current = (): Drawn | undefined => (editor.current?.kind === 'track' && editor.current.to === object.name ? editor.current : undefined)
  const change = (region: Drawn, sequence: Sequence, word: string, together = ''): boolean => {
    if (sequence === sequenceOf(region) || !editor.editable(region.id)) return false
    editor.setTimed(region.id, whole(sequence), word, together)
    return true
  }
  const place = (region: Drawn, box: Box, word: string, together: string) => void change(region, withKey(sequenceOf(region), frame(), inside(box), fps), word, together)

  const media: Media = {
    toggle: () => player.toggle(),
    playSelection: () => {
      const region = current()
      if (!region) return false
      const sequence = sequenceOf(region)
      const last = sequence.at(-1)!
      player.play(timeOf(sequence[0]!.frame, fps), timeOf(last.enabled ? count() : last.frame, fps))
      return true
    },
    loop: () => {
      const region = current()
      const sequence = region && sequenceOf(region)
      player.setLoop(sequence ? { start: timeOf(sequence[0]!.frame, fps), end: timeOf(sequence.at(-1)!.enabled ? count() : sequence.at(-1)!.frame, fps) } : null)
    },
    step: (by, far) => {
      player.pause()
      go(frame() + by * (far ? 10 : 1))
    },
    jump: (to) => go(to === 'start' ? 1 : count()),
    faster: (by) => editor.announce(`${player.faster(by)} times as fast`),
    mark: (side) => {
      const region = current()
      if (!region) return
      const now = frame()
      if (side === -1) change(region, begun(sequenceOf(region), now, fps), `begins at frame ${now}`)
      else change(region, ended(sequenceOf(region), now, fps), `ends or goes on at frame ${now}`)
    },
    edge: (by) => {
      player.pause()
      const region = current()
      const to = neighbour(region ? [sequenceOf(region)] : regions().map(sequenceOf), frame(), by)
      if (to !== null) go(to)
      return to !== null
    },
    nudge: (dx, dy, sized) => {
      const region = current()
      const box = region && boxAt(sequenceOf(region), frame())
      if (!region || !box) return false
      const next = sized ? { ...box, width: box.width + dx * NUDGE, height: box.height + dy * NUDGE } : { ...box, x: box.x + dx * NUDGE, y: box.y + dy * NUDGE }
      place(region, next, sized ? 'sized' : 'moved', `nudge:${sized}:${region.id}:${frame()}`)
      return true
    },
    key: () => {
      const region = current()
      if (!region) return false
      const now = frame()
      const sequence = sequenceOf(region)
      if (hasKey(sequence, now)) return change(region, withoutKey(sequence, now), `has no key frame at ${now}`)
      const box = boxAt(sequence, now)
      return box !== null && change(region, withKey(sequence, now, box, fps), `has a key frame at ${now}`)
    },
    split: () => {
      const region = current()
      const parts = region && editor.editable(region.id) ? split(sequenceOf(region), frame(), fps) : null
      if (!region || !parts) return false
      const second = copied(entriesOf(editor.state.result, new Set([region.id])))
      const id = second.ids[0]!
      const next = withGeometry([...editor.state.result, ...second.entries], region.id, whole(parts[0]))
      editor.apply(withGeometry(next, id, whole(parts[1])), 'Track split')
      editor.select([id])
      return true
    },
    merge: () => {
      const [one, two] = [...editor.state.selected].flatMap((id) => editor.region(id) ?? []).filter((region) => region.kind === 'track' && editor.editable(region.id))
      const sequence = one && two && editor.state.selected.size === 2 ? merged(sequenceOf(one), sequenceOf(two)) : null
      if (!one || !two || !sequence) {
        editor.announce('Select two tracks of which one ends before the other begins')
        return true
      }
      editor.apply(withoutRegions(withGeometry(editor.state.result, one.id, whole(sequence)), new Set([two.id])), 'Tracks merged')
      editor.select([one.id])
      return true
    },
  }

  return {
    frame,
    count,
    go,
    place,
    draw: (box) => {
      const { drawer } = editor
      const { brush } = editor.state
      if (!drawer || !brush || drawer.to !== object.name || drawer.type !== 'videorectangle') return null
      if (player.state.duration === 0) {
        // A track says of how many frames it is.
        editor.announce('The video is still being read')
        return null
      }
      const id = editor.add(drawer, whole(withKey([], frame(), inside(box), fps)), brush.label)
      if (id) editor.select([id])
      return id
    },
    media,
  }
}
