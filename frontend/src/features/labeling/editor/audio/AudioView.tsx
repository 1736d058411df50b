/**
 * A sound with its segments. One marks by dragging over the waveform or by [ and ] while it plays; label keys name what is
 * marked. The waveform, its segments and the time are painted on one canvas from the store's values.
 */
import { Text } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'

import { drawingControls, type LabelObject } from '../config'
import { useRegions, useStore, useStoreState } from '../hooks'
import { markEnd, markStart } from '../actions/time'
import { fitted, kept, showing, zoomed, type Axis } from '../time/axis'
import { Player } from '../time/media'
import { MediaBar } from '../time/MediaBar'
import classes from '../time/time.module.css'
import { useCanvas } from '../time/useCanvas'
import { paintOverview, paintWave, type Scene } from './paint'
import { loadPeaks, type Peaks } from './peaks'
import { segmentsOf } from './segments'
import { usePointing } from './usePointing'
import { useSegments } from './useSegments'

export function AudioView({ object }: { object: LabelObject }) {
  const editor = useStore()
  const url = editor.item.urls[object.name] ?? ''
  return <Sound key={url} object={object} url={url} />
}

function Sound({ object, url }: { object: LabelObject; url: string }) {
  const editor = useStore()
  const [player] = useState(() => new Player())
  const audio = useRef<HTMLAudioElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const small = useRef<HTMLCanvasElement>(null)
  const focused = useRef<HTMLDivElement>(null)
  const axis = useRef<Axis>({ from: 0, scale: 1, width: 0 })
  const peaks = useRef<Peaks | null>(null)
  const [problem, setProblem] = useState('')
  const regions = useRegions()
  const selected = useStoreState((state) => state.selected)
  const hidden = useStoreState((state) => state.hidden)
  const accepted = useStoreState((state) => state.accepted)
  const suggestions = useStoreState((state) => state.suggestions)
  const reveal = useStoreState((state) => state.reveal)
  const segments = useMemo(() => segmentsOf(editor.config, regions, suggestions, object.name, hidden, accepted), [editor.config, regions, suggestions, object.name, hidden, accepted])
  const marks = useMemo(() => drawingControls(editor.config, object.name).length > 0, [editor.config, object.name])

  const scene = (): Scene => ({ axis: axis.current, duration: player.state.duration, peaks: peaks.current, segments, selected, time: player.state.time, mark: marking.mark() })
  const draw = useCanvas(canvas, (sheet) => paintWave(sheet, scene()), (width) => {
    const { duration } = player.state
    const whole = axis.current.width === 0 || axis.current.scale <= (axis.current.width / Math.max(duration, 0.001)) * 1.001
    axis.current = whole ? fitted(width, duration) : kept({ ...axis.current, width }, duration)
  })
  const drawSmall = useCanvas(small, (sheet) => paintOverview(sheet, scene()))
  const again = () => {
    draw()
    drawSmall()
  }
  const look = (next: Axis) => {
    axis.current = next
    again()
  }
  const marking = useSegments({ editor, object, player, segments, again })
  const pointing = usePointing({ editor, player, segments, axis, look, marking })

  useEffect(() => (audio.current ? player.attach(audio.current) : undefined), [player])
  // The length is known: the waveform can be made, and every segment says it.
  useEffect(() => {
    let given = new AbortController()
    const began = () => {
      const { duration } = player.state
      if (duration <= 0 || editor.beside[object.name]?.original_length === duration) return
      editor.beside[object.name] = { original_length: duration }
      axis.current = fitted(canvas.current?.clientWidth ?? 1, duration)
      given.abort()
      given = new AbortController()
      const { signal } = given
      loadPeaks(url, duration, signal, (found) => {
        if (signal.aborted) return
        peaks.current = found
        setProblem(found.problem)
        again()
      }).catch(() => undefined)
    }
    began()
    const off = player.subscribe(began)
    return () => {
      off()
      given.abort()
      delete editor.beside[object.name]
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `again` is another function each time and paints the same
  }, [player, editor, object.name, url])

  useEffect(() => {
    const follow = () => {
      const { time, playing, duration } = player.state
      const { from, width, scale } = axis.current
      // While it plays, the next page comes when the end of this one is reached.
      if (playing && width > 0 && (time > from + width / scale || time < from)) axis.current = kept({ ...axis.current, from: time }, duration)
      again()
    }
    return player.subscribe(follow)
    // eslint-disable-next-line react-hooks/exhaustive-deps -- as above
  }, [player])
  useEffect(again)

  useEffect(() => {
    const region = reveal && editor.region(reveal.id)
    if (!region || region.to !== object.name || region.kind !== 'segment') return
    const [start, end] = [Number(region.main.value.start), Number(region.main.value.end)]
    axis.current = showing(axis.current, start, end, player.state.duration)
    if (!player.state.playing) player.seek(start)
    again()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when another region is asked for
  }, [reveal])

  useEffect(() => {
    editor.views.set(object.name, {
      ...marking.view,
      focus: () => focused.current?.focus({ preventScroll: true }),
      zoom: (by) => {
        const { width, from, scale } = axis.current
        const x = (player.state.time - from) * scale
        look(zoomed(axis.current, by, x >= 0 && x <= width ? x : width / 2, player.state.duration))
      },
      fit: () => look(fitted(axis.current.width, player.state.duration)),
      show: (ids) => {
        const shown = segments.filter((segment) => ids.has(segment.id))
        if (shown.length > 0) look(showing(axis.current, Math.min(...shown.map((one) => one.start)), Math.max(...shown.map((one) => one.end)), player.state.duration, true))
      },
    })
  })
  useEffect(() => () => void editor.views.delete(object.name), [editor, object.name])

  return (
    <div className={classes.frame}>
      {/* What is said is what is being written down: captions do not exist yet. */}
      {/* eslint-disable-next-line jsx-a11y/media-has-caption -- see above */}
      <audio ref={audio} src={url} preload="auto" />
      <div
        ref={focused}
        className={classes.wave}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is an application with keys of its own
        tabIndex={0}
        data-editor-canvas
        role="application"
        aria-label={`Sound “${object.name}”. Space plays and pauses, arrows move in time${marks ? '; left bracket begins a segment, right bracket ends it, a label’s key names it' : ''}. All keys: question mark.`}
      >
        <canvas ref={canvas} aria-hidden onPointerDown={pointing.down} onPointerMove={pointing.move} onPointerUp={pointing.up} onPointerCancel={pointing.up} onWheel={pointing.wheel} />
      </div>
      <canvas ref={small} className={classes.overview} aria-hidden onPointerDown={pointing.overview} onPointerMove={(event) => event.buttons === 1 && pointing.overview(event)} />
      {problem && (
        <Text size="xs" c="dimmed" className={classes.notice}>
          The waveform is not drawn: {problem} All else works.
        </Text>
      )}
      <Failed player={player} />
      <MediaBar player={player} more={marks && !editor.state.readOnly ? [markStart, markEnd] : []} />
    </div>
  )
}

function Failed({ player }: { player: Player }) {
  const [failed, setFailed] = useState(false)
  useEffect(() => player.subscribe(() => setFailed(player.state.failed)), [player])
  if (!failed) return null
  return (
    <Text size="sm" c="red" role="alert" className={classes.notice}>
      This browser cannot play the file. Another browser may; or convert it to WAV, MP3 or Opus and upload it again.
    </Text>
  )
}
