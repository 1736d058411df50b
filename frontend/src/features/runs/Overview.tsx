/** All steps of a large run in a corner of its graph, each in the colour of its state; a press goes there. */
import { useEffect, useRef, type PointerEvent } from 'react'
import type { Box } from '@/lib/view'
import { statusLook } from '@/ui/StatusBadge'
import { HEIGHT, WIDTH } from './layout'
import type { StepRun } from './live'
import classes from './runs.module.css'

const ROOM = { width: 200, height: 96 }
/** Drawn last, so that one among thousands is not hidden under its neighbours. */
const LOUD = ['running', 'waiting', 'failed']

export function Overview({ steps, spots, all, view, onGo }: { steps: readonly StepRun[]; spots: Readonly<Record<string, { x: number; y: number }>>; all: Box; view: Box | null; onGo: (x: number, y: number) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  // Both ways by their own measure: a graph of ten thousand steps may be three wide.
  const scale = { x: ROOM.width / Math.max(all.width, 1), y: ROOM.height / Math.max(all.height, 1) }
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (!context || !canvas.current) return
    const ratio = window.devicePixelRatio || 1
    canvas.current.width = ROOM.width * ratio
    canvas.current.height = ROOM.height * ratio
    context.scale(ratio, ratio)
    const styles = getComputedStyle(canvas.current)
    const groups = new Map<string, StepRun[]>()
    for (const step of steps) {
      const group = groups.get(step.status)
      if (group) group.push(step)
      else groups.set(step.status, [step])
    }
    const order = [...groups.keys()].sort((a, b) => LOUD.indexOf(a) - LOUD.indexOf(b))
    for (const status of order) {
      context.fillStyle = styles.getPropertyValue(`--mantine-color-${statusLook(status).color}-5`) || styles.color
      const least = LOUD.includes(status) ? 3 : 1
      for (const step of groups.get(status) ?? []) {
        const spot = spots[step.step]
        if (spot) context.fillRect((spot.x - all.x) * scale.x, (spot.y - all.y) * scale.y, Math.max(WIDTH * scale.x * 0.86, least), Math.max(HEIGHT * scale.y * 0.82, least))
      }
    }
  }, [steps, spots, all, scale.x, scale.y])
  const go = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    onGo(all.x + (event.clientX - box.left) / scale.x, all.y + (event.clientY - box.top) / scale.y)
  }
  return (
    // For the pointer alone: with keys, the results, the log and the timeline list the same steps.
    <div
      className={`${classes.overview} nopan nowheel`}
      style={ROOM}
      aria-hidden
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        go(event)
      }}
      onPointerMove={(event) => event.buttons > 0 && go(event)}
    >
      <canvas ref={canvas} style={ROOM} />
      {view && (
        <span
          className={classes.overviewHere}
          style={{ left: (view.x - all.x) * scale.x, top: (view.y - all.y) * scale.y, width: Math.max(view.width * scale.x, 6), height: Math.max(view.height * scale.y, 6) }}
        />
      )}
    </div>
  )
}
