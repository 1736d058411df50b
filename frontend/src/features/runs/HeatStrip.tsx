/** The shards of a mapped step, or the rounds of a repeated one: a square each, drawn on a canvas, walked by pointer and keys. */
import { Button, Group, Skeleton, Text } from '@mantine/core'
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { count, duration } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useShards } from './data'
import type { Run, Shard, StepRun } from './live'
import classes from './patterns.module.css'
import { drawSquare, GAP, gridOf, LOOKS, lookOf, squareAt, stepTo, tally, type Look } from './strip'

export function HeatStrip({ project, run, step, chosen, onChoose }: { project: string; run: Run; step: StepRun; chosen: number | null; onChoose: (shard: number | null) => void }) {
  const { shards, loading, error } = useShards(project, run, step)
  const rounds = run.graph.steps?.[step.step]?.repeat != null
  const noun = rounds ? 'round' : 'shard'
  // Their number is known before they are.
  const many = loading ? (step.shards?.total ?? 0) : shards.length
  const counts = useMemo(() => tally(shards), [shards])
  const next = useMemo(() => {
    const from = chosen ?? -1
    return (shards.find((one) => one.status === 'failed' && one.shard > from) ?? shards.find((one) => one.status === 'failed'))?.shard ?? null
  }, [shards, chosen])
  return (
    <section className={classes.strip} aria-label={`The ${noun}s of ${step.name || step.title}`} data-strip={step.step}>
      <Group justify="space-between" gap="xs" mb={8}>
        <Text size="sm" fw={600}>
          {step.name || step.title}: {count(many)} {many === 1 ? noun : `${noun}s`}
        </Text>
        <Group gap="sm">
          {counts.map(([look, many]) => (
            <Group key={look} gap={5} wrap="nowrap">
              <Mark look={look} />
              <Text size="xs">
                {count(many)} {LOOKS[look].word}
              </Text>
            </Group>
          ))}
          {next !== null && (
            <Button size="compact-xs" variant="default" onClick={() => onChoose(next)}>
              {chosen === null ? `First that failed` : `Next that failed`}
            </Button>
          )}
        </Group>
      </Group>
      {error ? <ErrorNotice error={error} /> : loading ? <Skeleton h={40} /> : <Squares noun={noun} shards={shards} chosen={chosen} onChoose={onChoose} />}
    </section>
  )
}

function ink(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim() || '#888'
}

/** The sign of the legend: the very square that the strip draws. */
function Mark({ look }: { look: Look }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const scheme = useComputedColorScheme('light')
  useEffect(() => {
    const element = canvas.current
    const pen = element?.getContext('2d')
    if (!element || !pen) return
    pen.clearRect(0, 0, 26, 26)
    drawSquare(pen, look, 2, 2, 22, ink(element, LOOKS[look].color), ink(element, '--hr-surface'))
  }, [look, scheme])
  return <canvas ref={canvas} width={26} height={26} style={{ width: 13, height: 13, flex: 'none' }} aria-hidden />
}

function words(shard: Shard, noun: string): string {
  const look = lookOf(shard)
  return [`${noun} ${shard.shard}: ${LOOKS[look].word}`, look === 'skipped' ? shard.skip_reason : '', shard.attempt > 1 ? `attempt ${shard.attempt}` : '', shard.seconds !== null ? duration(shard.seconds) : '', shard.error].filter(Boolean).join(', ')
}

function Squares({ noun, shards, chosen, onChoose }: { noun: string; shards: readonly Shard[]; chosen: number | null; onChoose: (shard: number | null) => void }) {
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const scheme = useComputedColorScheme('light')
  const [width, setWidth] = useState(0)
  const [hover, setHover] = useState<number | null>(null)
  const [focus, setFocus] = useState<number | null>(null)
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    setWidth(element.clientWidth)
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const grid = useMemo(() => gridOf(shards.length, Math.max(1, width)), [shards.length, width])
  const at = chosen === null ? null : shards.findIndex((one) => one.shard === chosen)
  const here = focus ?? (at !== null && at >= 0 ? at : 0)

  useEffect(() => {
    const element = canvas.current
    const pen = element?.getContext('2d')
    if (!element || !pen || width === 0) return
    const ratio = window.devicePixelRatio || 1
    const tall = grid.rows * grid.cell
    element.width = Math.round(width * ratio)
    element.height = Math.round(tall * ratio)
    element.style.height = `${tall}px`
    pen.setTransform(ratio, 0, 0, ratio, 0, 0)
    pen.clearRect(0, 0, width, tall)
    const colors = Object.fromEntries(Object.entries(LOOKS).map(([look, { color }]) => [look, ink(element, color)])) as Record<Look, string>
    const paper = ink(element, '--hr-surface')
    const size = grid.cell - 2 * GAP
    shards.forEach((shard, index) => {
      const look = lookOf(shard)
      drawSquare(pen, look, (index % grid.columns) * grid.cell + GAP, Math.floor(index / grid.columns) * grid.cell + GAP, size, colors[look], paper)
    })
  }, [shards, grid, width, scheme])

  const spot = (index: number) => ({ left: (index % grid.columns) * grid.cell, top: Math.floor(index / grid.columns) * grid.cell, width: grid.cell, height: grid.cell })
  const show = (index: number) => {
    const element = box.current
    if (!element) return
    const top = Math.floor(index / grid.columns) * grid.cell
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + grid.cell > element.scrollTop + element.clientHeight) element.scrollTop = top + grid.cell - element.clientHeight
  }
  const key = (event: KeyboardEvent) => {
    if (event.key === 'Enter' || event.key === ' ') onChoose(shards[here]?.shard ?? null)
    else if (event.key === 'Escape') onChoose(null)
    else {
      const to = stepTo(grid, shards.length, here, event.key)
      if (to === null) return
      setFocus(to)
      show(to)
    }
    event.preventDefault()
  }
  const point = (event: { clientX: number; clientY: number }) => {
    const frame = canvas.current?.getBoundingClientRect()
    return frame ? squareAt(grid, shards.length, event.clientX - frame.left, event.clientY - frame.top) : null
  }
  const current = shards[here]
  const told = hover !== null ? shards[hover] : focus !== null ? current : null
  return (
    <>
      <div
        ref={box}
        className={classes.squares}
        tabIndex={0}
        role="slider"
        aria-label={`${noun}s, arrow keys walk, Enter opens`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, shards.length - 1)}
        aria-valuenow={here}
        aria-valuetext={current ? words(current, noun) : `No ${noun}s yet`}
        onKeyDown={key}
        onFocus={() => setFocus(here)}
        onBlur={() => setFocus(null)}
        onPointerMove={(event) => setHover(point(event))}
        onPointerLeave={() => setHover(null)}
        onClick={(event) => {
          const index = point(event)
          if (index === null) return
          setFocus(index)
          onChoose(shards[index]?.shard ?? null)
        }}
      >
        <div className={classes.inner}>
          <canvas ref={canvas} className={classes.canvas} aria-hidden />
          {at !== null && at >= 0 && <span className={classes.chosen} style={spot(at)} />}
          {focus !== null && <span className={classes.focus} style={spot(focus)} />}
        </div>
      </div>
      <Text size="xs" c="dimmed" mt={4} mih={18} aria-hidden>
        {told ? words(told, noun) : `Choose a ${noun} to see its log, outputs and error.`}
      </Text>
    </>
  )
}
