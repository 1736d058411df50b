/**
 * A video with tracks of boxes. Frames are counted from 1, as Label Studio does; a paused video stands in the middle of a
 * frame, so that every browser shows the same one. Boxes lie over the video, tracks below it.
 */
import { Text } from '@mantine/core'
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'

import { clock } from '@/lib/format'

import { begin, end, key, nextKey, previousKey } from '../actions/time'
import { drawingControls, type LabelObject } from '../config'
import { useRegions, useStore, useStoreState } from '../hooks'
import { drawnRegions } from '../result'
import { fitted, kept, showing, zoomed, type Axis } from '../time/axis'
import { Player } from '../time/media'
import { MediaBar } from '../time/MediaBar'
import classes from '../time/time.module.css'
import { Boxes } from './Boxes'
import { Timeline } from './Timeline'
import { boxAt, frameAt, sequenceOf, timeOf } from './track'
import { tracksOf, type Tracks } from './useTracks'

const USUAL_RATE = 25

export function VideoView({ object }: { object: LabelObject }) {
  const editor = useStore()
  const url = editor.item.urls[object.name] ?? ''
  return <Film key={url} object={object} url={url} />
}

function Film({ object, url }: { object: LabelObject; url: string }) {
  const editor = useStore()
  const [player] = useState(() => new Player())
  const video = useRef<HTMLVideoElement>(null)
  const picture = useRef<HTMLDivElement>(null)
  const axis = useRef<Axis>({ from: 0, scale: 1, width: 0 })
  const again = useRef<() => void>(() => undefined)
  const [size, setSize] = useState<{ width: number; height: number } | null>(null)
  const failed = useSyncExternalStore(player.subscribe, () => player.state.failed)
  const all = useRegions()
  const hidden = useStoreState((state) => state.hidden)
  const suggestions = useStoreState((state) => state.suggestions)
  const readOnly = useStoreState((state) => state.readOnly)
  const reveal = useStoreState((state) => state.reveal)
  const fps = object.frame_rate ?? (typeof editor.item.data.frame_rate === 'number' ? editor.item.data.frame_rate : USUAL_RATE)
  const regions = useMemo(() => all.filter((region) => region.kind === 'track' && region.to === object.name && !hidden.has(region.id)), [all, hidden, object.name])
  const ghosts = useMemo(() => drawnRegions(editor.config, suggestions).filter((region) => region.kind === 'track' && region.to === object.name), [editor.config, suggestions, object.name])
  const shown = useRef(regions)
  useEffect(() => {
    shown.current = regions
  }, [regions])
  const tracks = useMemo(() => tracksOf(editor, object, player, fps, () => shown.current), [editor, object, player, fps])
  const marks = useMemo(() => drawingControls(editor.config, object.name).length > 0, [editor.config, object.name])

  useEffect(() => (video.current ? player.attach(video.current) : undefined), [player])
  useEffect(() => {
    let [playing, duration] = [false, 0]
    return player.subscribe(() => {
      const now = player.state
      if (now.duration !== duration) axis.current = fitted(axis.current.width, now.duration)
      // Paused: in the middle of the frame that was seen last.
      if (playing && !now.playing) queueMicrotask(() => player.seek(timeOf(tracks.frame(), fps)))
      ;[playing, duration] = [now.playing, now.duration]
      if (now.playing) axis.current = showing(axis.current, now.time, now.time, now.duration)
    })
  }, [player, tracks, fps])

  useEffect(() => {
    const region = reveal && editor.region(reveal.id)
    if (!region || region.to !== object.name || region.kind !== 'track') return
    const sequence = sequenceOf(region)
    // Where it is seen anyway one stays.
    if (!boxAt(sequence, tracks.frame()) && sequence[0]) tracks.go(sequence[0].frame)
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when another region is asked for
  }, [reveal])

  useEffect(() => {
    const look = (next: Axis) => {
      axis.current = next
      again.current()
    }
    editor.views.set(object.name, {
      media: tracks.media,
      focus: () => picture.current?.focus({ preventScroll: true }),
      finish: () => editor.state.brush !== null && tracks.draw({ x: 40, y: 40, width: 20, height: 20, rotation: 0 }) !== null,
      zoom: (by) => look(zoomed(axis.current, by, (player.state.time - axis.current.from) * axis.current.scale, player.state.duration)),
      fit: () => look(fitted(axis.current.width, player.state.duration)),
      show: (ids) => {
        const frames = regions.filter((region) => ids.has(region.id)).flatMap((region) => sequenceOf(region).map((one) => one.frame))
        if (frames.length > 0) look(showing(axis.current, timeOf(Math.min(...frames), fps), timeOf(Math.max(...frames), fps), player.state.duration, true))
      },
    })
  })
  useEffect(() => () => void editor.views.delete(object.name), [editor, object.name])

  const ratio = size ? size.width / size.height : 16 / 9
  return (
    <div className={classes.frame}>
      <div className={classes.stage}>
        <div
          ref={picture}
          className={classes.picture}
          style={{ width: `min(100cqw, 100cqh * ${ratio})`, aspectRatio: ratio }}
          // The pointer works on the boxes; the keys, here.
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is an application with keys of its own
          tabIndex={0}
          data-editor-canvas
          role="application"
          aria-label={`Video “${object.name}”, ${regions.length === 1 ? '1 track' : `${regions.length} tracks`}. Arrows go from frame to frame, up and down from key frame to key frame${marks ? '; Enter places a box in the middle, Alt with arrows moves it' : ''}. All keys: question mark.`}
        >
          {/* Captions are what labelling may make: there are none yet. */}
          {/* eslint-disable-next-line jsx-a11y/media-has-caption -- see above */}
          <video ref={video} src={url} preload="auto" playsInline onLoadedMetadata={(event) => setSize({ width: event.currentTarget.videoWidth || 16, height: event.currentTarget.videoHeight || 9 })} />
          <Boxes player={player} tracks={tracks} regions={regions} ghosts={ghosts} />
        </div>
      </div>
      {failed && (
        <Text size="sm" c="red" role="alert" className={classes.notice}>
          This browser cannot play the file. Another browser may; or convert it to MP4 (H.264) or WebM and upload it again.
        </Text>
      )}
      <Timeline
        player={player}
        tracks={tracks}
        fps={fps}
        regions={regions}
        ghosts={ghosts}
        axis={axis}
        again={again}
        fit={(width) => {
          const { duration } = player.state
          const whole = axis.current.width === 0 || axis.current.scale <= (axis.current.width / Math.max(duration, 0.001)) * 1.001
          axis.current = whole ? fitted(width, duration) : kept({ ...axis.current, width }, duration)
        }}
      />
      <MediaBar player={player} more={[previousKey, nextKey, ...(marks && !readOnly ? [key, begin, end] : [])]} place={<Frames player={player} tracks={tracks} fps={fps} />} />
    </div>
  )
}

function Frames({ player, tracks, fps }: { player: Player; tracks: Tracks; fps: number }) {
  const frame = useSyncExternalStore(player.subscribe, tracks.frame)
  const count = useSyncExternalStore(player.subscribe, () => (player.state.duration > 0 ? tracks.count() : '…'))
  return (
    <>
      frame {frame} / {count} · {clock((frameAt(timeOf(frame, fps), fps) - 1) / fps, 2)}
    </>
  )
}
