/** What plays: a sound or a video. In a field the keys with Alt go on working, so that one writes while one listens. */
import {
  IconArrowBarToLeft, IconArrowBarToRight, IconArrowMerge, IconArrowsSplit2, IconBracketsContainEnd, IconBracketsContainStart, IconDiamond, IconPlayerPlay,
  IconPlayerTrackNext, IconPlayerTrackPrev, IconRepeat, IconPlayerSkipBack, IconPlayerSkipForward, IconRewindBackward5, IconRewindForward5, type Icon,
} from '@tabler/icons-react'

import { plays } from '../config'
import type { EditorStore } from '../store'
import type { Media } from '../time/media'
import { editable, view, type Action } from './action'

const withMedia = (editor: EditorStore): boolean => editor.config.objects.some(plays)
const withTag = (tag: string) => (editor: EditorStore): boolean => editor.config.objects.some((object) => object.tag === tag)
const audio = withTag('Audio')
const video = withTag('Video')

function action(id: string, label: string, icon: Icon, keys: string[], run: (media: Media) => void | boolean, available: (editor: EditorStore) => boolean = withMedia): Action {
  return {
    id: `annotation.${id}`,
    label,
    icon,
    group: 'Play',
    keys,
    available,
    run: (editor) => {
      const media = view(editor, 'media')
      return media ? run(media) : false
    },
  }
}

const changes = (of: (editor: EditorStore) => boolean) => (editor: EditorStore): boolean => of(editor) && editable(editor)

export const play = action('play-pause', 'Play or pause', IconPlayerPlay, [' ', 'alt+p'], (media) => media.toggle())
export const back = action('play-back', 'Back by a step; with Shift by a larger one', IconRewindBackward5, ['ArrowLeft', 'alt+,'], (media) => media.step(-1, false))
export const forward = action('play-forward', 'On by a step; with Shift by a larger one', IconRewindForward5, ['ArrowRight', 'alt+.'], (media) => media.step(1, false))
const farBack = { ...action('play-far-back', 'Back by a larger step', IconRewindBackward5, ['shift+ArrowLeft'], (media) => media.step(-1, true)), quiet: true }
const farForward = { ...action('play-far-forward', 'On by a larger step', IconRewindForward5, ['shift+ArrowRight'], (media) => media.step(1, true)), quiet: true }
export const toStart = action('play-start', 'To the beginning', IconPlayerSkipBack, ['Home'], (media) => media.jump('start'))
export const toEnd = action('play-end', 'To the end', IconPlayerSkipForward, ['End'], (media) => media.jump('end'))
export const selection = action('play-selection', 'Play the selected region', IconPlayerTrackNext, ['p', 'alt+o'], (media) => media.playSelection())
export const loop = action('play-loop', 'Repeat the selected region, or the whole', IconRepeat, ['o'], (media) => media.loop())
export const slower = action('play-slower', 'Slower', IconPlayerTrackPrev, ['<', 'alt+['], (media) => media.faster(-1))
export const faster = action('play-faster', 'Faster', IconPlayerTrackNext, ['>', 'alt+]'], (media) => media.faster(1))
export const markStart = action('audio-start', 'Begin a segment here, or the selected one', IconBracketsContainStart, ['['], (media) => media.mark(-1), changes(audio))
export const markEnd = action('audio-end', 'End the segment here', IconBracketsContainEnd, [']'], (media) => media.mark(1), changes(audio))
const edges = ([-1, 1] as const).map((by) => action(`audio-edge-${by === 1 ? 'next' : 'previous'}`, `To the ${by === 1 ? 'next' : 'previous'} edge of a segment`, by === 1 ? IconArrowBarToRight : IconArrowBarToLeft, [by === 1 ? 'ArrowDown' : 'ArrowUp'], (media) => media.edge(by), audio))
const edgeMoves = ([[-1, 'ArrowLeft', 'earlier'], [1, 'ArrowRight', 'later']] as const).flatMap(([by, arrow, where]) => [
  action(`audio-end-${where}`, `The end of the selected segment ${where}`, IconBracketsContainEnd, [`alt+${arrow}`], (media) => media.nudge(by, 0, true), changes(audio)),
  action(`audio-start-${where}`, `The start of the selected segment ${where}`, IconBracketsContainStart, [`alt+shift+${arrow}`], (media) => media.nudge(by, 0, false), changes(audio)),
])
export const begin = action('video-begin', 'The selected box is first seen here', IconBracketsContainStart, ['['], (media) => media.mark(-1), changes(video))
export const end = action('video-end', 'The selected box is last seen here, or goes on', IconBracketsContainEnd, [']'], (media) => media.mark(1), changes(video))
export const key = action('video-key', 'Set a key frame, or take it away', IconDiamond, ['k'], (media) => media.key(), changes(video))
export const previousKey = action('video-key-previous', 'To the previous key frame', IconArrowBarToLeft, ['ArrowUp'], (media) => media.edge(-1), video)
export const nextKey = action('video-key-next', 'To the next key frame', IconArrowBarToRight, ['ArrowDown'], (media) => media.edge(1), video)
export const splitTrack = action('video-split', 'Split the track before this frame', IconArrowsSplit2, ['shift+k'], (media) => media.split(), changes(video))
export const mergeTracks = action('video-merge', 'Merge two selected tracks', IconArrowMerge, ['alt+k'], (media) => media.merge(), changes(video))
const boxMoves = ([['ArrowLeft', -1, 0, 'left'], ['ArrowRight', 1, 0, 'right'], ['ArrowUp', 0, -1, 'up'], ['ArrowDown', 0, 1, 'down']] as const).flatMap(([arrow, dx, dy, where]) => [
  { ...action(`video-move-${where}`, `Move the selected box ${where}`, IconDiamond, [`alt+${arrow}`], (media) => media.nudge(dx, dy, false), changes(video)), quiet: true },
  { ...action(`video-size-${where}`, `Size the selected box ${where}`, IconDiamond, [`alt+shift+${arrow}`], (media) => media.nudge(dx, dy, true), changes(video)), quiet: true },
])

export const timeActions: readonly Action[] = [
  play, back, forward, farBack, farForward, toStart, toEnd, selection, loop, slower, faster, markStart, markEnd, ...edges, ...edgeMoves, begin, end, key, previousKey, nextKey,
  splitTrack, mergeTracks, ...boxMoves,
]

/** They work while somebody writes: each has a key with Alt. */
export const inFields: readonly Action[] = [play, back, forward, selection, slower, faster].map((one) => ({ ...one, keys: one.keys.filter((keys) => keys.startsWith('alt+')) }))
