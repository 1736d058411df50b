/** All steps of a large graph in a corner of its drawing, each in its colour; a press goes there. */
import { useEffect, useRef, type PointerEvent } from 'react'
import type { Box } from '@/lib/view'
import classes from './Overview.module.css'

const ROOM = { width: 200, height: 96 }

/** `color`: one of the theme. `loud`: seen among thousands, so drawn last and never smaller than a few pixels. */
export type Mark = Box & { color: string; loud?: boolean }

export function Overview({ marks, all, view, onGo }: { marks: readonly Mark[]; all: Box; view: Box | null; onGo: (x: number, y: number) => void }) {
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
    for (const loud of [false, true]) {
      const groups = new Map<string, Mark[]>()
      for (const mark of marks) {
        if (Boolean(mark.loud) !== loud) continue
        const group = groups.get(mark.color)
        if (group) group.push(mark)
        else groups.set(mark.color, [mark])
      }
      const least = loud ? 3 : 1
      for (const [color, group] of groups) {
        context.fillStyle = styles.getPropertyValue(`--mantine-color-${color}-5`) || styles.color
        for (const { x, y, width, height } of group) context.fillRect((x - all.x) * scale.x, (y - all.y) * scale.y, Math.max(width * scale.x * 0.86, least), Math.max(height * scale.y * 0.82, least))
      }
    }
  }, [marks, all, scale.x, scale.y])
  const go = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    onGo(all.x + (event.clientX - box.left) / scale.x, all.y + (event.clientY - box.top) / scale.y)
  }
  return (
    // For the pointer alone: with keys, the results, the log and the timeline list the same steps; on the canvas the arrow keys walk and the search finds.
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
