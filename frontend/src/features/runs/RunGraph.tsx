/** The pipeline of a run with what each step is doing, live. Choosing a step shows it beside. */
import { Background, ControlButton, Controls, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps, type ReactFlowInstance, type Viewport } from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { useComputedColorScheme } from '@mantine/core'
import { IconHome, IconRepeat, IconStack2 } from '@tabler/icons-react'
import { memo, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { count, duration, elapsed, humanise } from '@/lib/format'
import { firstView, type Box } from '@/lib/view'
import { MANY, near, sameBox, SMALLEST, within } from '@/lib/window'
import { Overview, type Mark } from '@/ui/Overview'
import { More, usePieces } from '@/ui/pieces'
import { statusLook } from '@/ui/StatusBadge'
import { HEIGHT, places, WIDTH, wiresOf } from './layout'
import { drawn, runsMany, type Run, type StepRun } from './live'
import classes from './runs.module.css'

const SIZE = { width: WIDTH, height: HEIGHT }
/** Seen in the overview among thousands. */
const LOUD: readonly string[] = ['running', 'waiting', 'failed']

type StepNode = Node<{ step: StepRun; why: string; how: 'map' | 'repeat' | null; many: boolean; inside: boolean; onChoose: (step: string) => void; onOpen: (step: string) => void }, 'step'>

/** What stands under a step's name: how far it is, how long it took, or why it did not run. */
function told(step: StepRun, many: boolean, why = ''): string {
  const cached = step.status === 'skipped' && (step.skip_reason === 'cached' || step.skip_reason === 'reused')
  const time = elapsed(step.started_at, step.finished_at)
  if (many && step.shards) return shardWords(step.shards)
  if (step.status === 'waiting') return 'Waits for a person'
  if (step.status === 'running') return step.message || `${Math.round(step.progress * 100)} %`
  if (step.status === 'skipped') return cached ? 'Reused' : step.skip_reason === 'upstream failed' ? 'Not reached' : humanise(step.skip_reason || 'skipped')
  if (step.status === 'queued') return why ? why.charAt(0).toUpperCase() + why.slice(1) : 'Queued'
  const took = time !== null && step.finished_at ? duration(time) : ''
  return step.status === 'succeeded' ? took : [humanise(step.status), took].filter(Boolean).join(', ')
}

function shardWords({ total, open, failed }: NonNullable<StepRun['shards']>): string {
  return `${count(total - open)} of ${count(total)}${failed > 0 ? `, ${count(failed)} failed` : ''}`
}

/** A step that nobody reached, or a branch that was not taken: there, but out of the way. */
function passedOver(step: StepRun): boolean {
  return step.status === 'skipped' && !['cached', 'reused', 'pinned'].includes(step.skip_reason)
}

const nodeTypes = {
  step: memo(function StepNodeView({ data, selected }: NodeProps<StepNode>) {
    const { step } = data
    const look = statusLook(step.status)
    const StatusIcon = look.icon
    const under = told(step, data.many, data.why)
    return (
      <button
        type="button"
        className={`${classes.node} nopan`}
        data-status={step.status}
        data-passed={passedOver(step) || undefined}
        data-inside={data.inside || undefined}
        data-many={data.many || undefined}
        data-selected={selected || undefined}
        onClick={() => data.onChoose(step.step)}
        onDoubleClick={() => data.inside && data.onOpen(step.step)}
        aria-label={`${step.name || step.title}: ${step.status}${under && under.toLowerCase() !== step.status ? `, ${under}` : ''}${data.inside ? ', a pipeline: double click opens it' : ''}`}
        style={{ width: WIDTH, height: HEIGHT }}
      >
        <Handle type="target" position={Position.Left} className={classes.handle} isConnectable={false} />
        <span className={classes.nodeIcon} style={{ color: `var(--mantine-color-${look.color}-light-color)`, background: `var(--mantine-color-${look.color}-light)` }}>
          <StatusIcon size={17} stroke={2.2} className={look.spin ? classes.spin : undefined} aria-hidden />
        </span>
        <span className={classes.nodeText}>
          <span className={classes.nodeTitle}>{step.name || step.title}</span>
          <span className={classes.nodeUnder} title={under || undefined}>
            {data.how === 'map' && <IconStack2 size={12} className={classes.how} aria-hidden />}
            {data.how === 'repeat' && <IconRepeat size={12} className={classes.how} aria-hidden />}
            {under || step.title}</span>
        </span>
        {/* A step that makes others or asks is taken up again each time it goes on: that is no further attempt. */}
        {step.attempt > 1 && !step.shards && !step.question && !step.decision && <span className={classes.attempt}>{step.attempt}×</span>}
        {(step.status === 'running' || (step.shards && step.shards.open > 0)) && <span className={classes.nodeBar} style={{ width: `${Math.max(3, step.progress * 100)}%` }} />}
        <Handle type="source" position={Position.Right} className={classes.handle} isConnectable={false} />
      </button>
    )
  }),
}

/** The same on a phone, where a graph would be too small to read: the steps one below the other, each opening in place. */
export function StepList({ run, waits, selected, onSelect, children }: { run: Run; waits: ReadonlyMap<string, string>; selected: string | null; onSelect: (step: string | undefined) => void; children: ReactNode }) {
  const steps = [...drawn(run, null), ...run.step_runs.filter((step) => step.undoes)]
  const pieces = usePieces(steps, steps.findIndex((step) => step.step === selected))
  return (
    <ol className={classes.steps} aria-label="Steps of this run">
      {pieces.shown.map((step) => {
        const look = statusLook(step.status)
        const StatusIcon = look.icon
        const under = told(step, runsMany(run, step))
        const open = step.step === selected
        return (
          <li key={step.id}>
            <button type="button" className={classes.step} data-passed={passedOver(step) || undefined} aria-expanded={open} onClick={() => onSelect(open ? undefined : step.step)}>
              <span className={classes.nodeIcon} style={{ color: `var(--mantine-color-${look.color}-light-color)`, background: `var(--mantine-color-${look.color}-light)` }}>
                <StatusIcon size={17} stroke={2.2} className={look.spin ? classes.spin : undefined} aria-hidden />
              </span>
              <span className={classes.stepName}>
                {step.undoes ? 'Undone by ' : ''}
                {step.name || step.title}
                <span className="visually-hidden"> {step.status}</span>
              </span>
              <span className={classes.stepUnder} title={waits.get(step.step)}>{under}</span>
              {step.status === 'running' && <span className={classes.nodeBar} style={{ width: `${Math.max(3, step.progress * 100)}%` }} />}
            </button>
            {open && <div className={classes.stepBody}>{children}</div>}
          </li>
        )
      })}
      <More {...pieces} what="steps" as="li" />
    </ol>
  )
}

/** `graph`: of the pipeline that is drawn, its keys as the paths of the steps; `inside`: the step of the run that is that pipeline. */
export function RunGraph({ run, waits, graph, inside, selected, onSelect, onOpen }: { run: Run; waits: ReadonlyMap<string, string>; graph: Run['graph']; inside: string | null; selected: string | null; onSelect: (step: string) => void; onOpen: (step: string) => void }) {
  const scheme = useComputedColorScheme('light')
  const spots = useMemo(() => places(graph), [graph])
  const wires = useMemo(() => wiresOf(graph), [graph])
  const byStep = useMemo(() => new Map(run.step_runs.map((s) => [s.step, s])), [run.step_runs])
  const steps = useMemo(() => drawn(run, inside), [run, inside])
  const large = steps.length > MANY
  const [frame, setFrame] = useState<Box | null>(null)
  const [view, setView] = useState<Box | null>(null)
  const seen = useMemo(() => (large ? (frame ? within(frame, spots, SIZE, wires) : new Set<string>()) : null), [large, frame, spots, wires])
  const nodes = useMemo(
    () =>
      steps.filter((step) => seen === null || seen.has(step.step)).map((step): StepNode => ({
        id: step.step,
        type: 'step',
        position: spots[step.step] ?? { x: 0, y: 0 },
        data: { step, why: waits.get(step.step) ?? '', how: graph.steps?.[step.step]?.map ? 'map' : graph.steps?.[step.step]?.repeat ? 'repeat' : null, many: runsMany(run, step), inside: step.component.startsWith('pipeline:') && !runsMany(run, step), onChoose: onSelect, onOpen },
        selected: step.step === selected,
        width: WIDTH,
        height: HEIGHT,
        focusable: false,
      })),
    [run, steps, seen, waits, graph, spots, selected, onSelect, onOpen],
  )
  const edges = useMemo(
    () =>
      wires.filter((wire) => (seen === null || (seen.has(wire.source) && seen.has(wire.target))) && byStep.has(wire.source) && byStep.has(wire.target)).map((wire): Edge => {
        const target = byStep.get(wire.target)
        const moving = target?.status === 'running'
        const dim = target !== undefined && passedOver(target)
        return { id: wire.id, source: wire.source, target: wire.target, animated: moving, focusable: false, ariaLabel: wire.label, style: { stroke: moving ? 'var(--mantine-color-blue-6)' : 'var(--hr-line-strong)', ...(dim ? { opacity: 0.45, strokeDasharray: '4 4' } : {}) } }
      }),
    [wires, byStep, seen],
  )
  const all = useMemo(() => bounds(steps, spots), [steps, spots])
  const marks = useMemo(() => (large ? steps.flatMap((step): Mark[] => (spots[step.step] ? [{ ...(spots[step.step] as { x: number; y: number }), ...SIZE, color: statusLook(step.status).color, loud: LOUD.includes(step.status) }] : [])) : []), [large, steps, spots])
  const box = useRef<HTMLDivElement>(null)
  const flowing = useRef<ReactFlowInstance<StepNode> | null>(null)
  const room = () => ({ width: box.current?.clientWidth ?? 0, height: box.current?.clientHeight ?? 0 })
  const look = (flow: ReactFlowInstance<StepNode>) => {
    flowing.current = flow
    const first = steps.map((step) => spots[step.step] ?? { x: 0, y: 0 }).reduce<{ x: number; y: number } | null>((least, spot) => (least && least.x <= spot.x ? least : spot), null)
    if (!first) return
    const to = firstView(all, { ...first, width: WIDTH, height: HEIGHT }, room(), 0.06, large ? SMALLEST : 0)
    void flow.setViewport(to)
    seeFrom(to)
  }
  const seeFrom = (viewport: Viewport) => {
    if (!large) return
    const next = near(viewport, room())
    setFrame((before) => (sameBox(before, next) ? before : next))
    setView({ x: -viewport.x / viewport.zoom, y: -viewport.y / viewport.zoom, width: room().width / viewport.zoom, height: room().height / viewport.zoom })
  }
  // A window that grows shows more of the graph, without a move of it.
  useEffect(() => {
    if (!large || !box.current) return
    const watching = new ResizeObserver(() => flowing.current && seeFrom(flowing.current.getViewport()))
    watching.observe(box.current)
    return () => watching.disconnect()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `seeFrom` is made anew each time, and looks only at what stays
  }, [large])
  // What a step holds is asked for after it was opened: looked at anew when it is there.
  const known = steps.length > 0 && Object.keys(spots).length > 0
  useEffect(() => {
    if (known && flowing.current) look(flowing.current)
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only then: later the view is the reader's own
  }, [known])
  return (
    <div ref={box} className={classes.graph} role="group" aria-label="Steps of this run">
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        colorMode={scheme}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        onlyRenderVisibleElements={nodes.length > 150}
        onInit={look}
        onMove={(_event, viewport) => seeFrom(viewport)}
        minZoom={large ? SMALLEST : 0.1}
        maxZoom={1.6}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={20} size={1} />
        <Controls showInteractive={false} showFitView={!large} position="bottom-left">
          {large && (
            <ControlButton onClick={() => flowing.current && look(flowing.current)} title="To the beginning" aria-label="To the beginning">
              <IconHome style={{ fill: 'none' }} />
            </ControlButton>
          )}
        </Controls>
      </ReactFlow>
      {large && <Overview marks={marks} all={all} view={view} onGo={(x, y) => void flowing.current?.setCenter(x, y, { zoom: flowing.current.getZoom() })} />}
    </div>
  )
}

function bounds(steps: readonly StepRun[], spots: Readonly<Record<string, { x: number; y: number }>>): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const step of steps) {
    const { x, y } = spots[step.step] ?? { x: 0, y: 0 }
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x + WIDTH)
    bottom = Math.max(bottom, y + HEIGHT)
  }
  return steps.length > 0 ? { x: left, y: top, width: right - left, height: bottom - top } : { x: 0, y: 0, width: 0, height: 0 }
}
