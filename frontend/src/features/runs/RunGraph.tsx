/** The pipeline of a run with what each step is doing, live. Choosing a step shows it beside. */
import { Background, Controls, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react'
import '@xyflow/react/dist/style.css'
import { useComputedColorScheme } from '@mantine/core'
import { memo, useMemo, type ReactNode } from 'react'
import { duration, elapsed, humanise } from '@/lib/format'
import { statusLook } from '@/ui/StatusBadge'
import { HEIGHT, places, WIDTH, wiresOf } from './layout'
import type { Run, StepRun } from './live'
import classes from './runs.module.css'

type StepNode = Node<{ step: StepRun; onChoose: (step: string) => void }, 'step'>

/** What stands under a step's name: how far it is, how long it took, or why it did not run. */
function told(step: StepRun): string {
  const cached = step.status === 'skipped' && step.skip_reason === 'cached'
  const time = elapsed(step.started_at, step.finished_at)
  if (step.status === 'running') return step.message || `${Math.round(step.progress * 100)} %`
  if (step.status === 'skipped') return cached ? 'Reused' : step.skip_reason === 'upstream failed' ? 'Not reached' : humanise(step.skip_reason || 'skipped')
  if (step.status === 'queued') return 'Queued'
  const took = time !== null && step.finished_at ? duration(time) : ''
  return step.status === 'succeeded' ? took : [humanise(step.status), took].filter(Boolean).join(', ')
}

const nodeTypes = {
  step: memo(function StepNodeView({ data, selected }: NodeProps<StepNode>) {
    const { step } = data
    const look = statusLook(step.status)
    const StatusIcon = look.icon
    const under = told(step)
    return (
      <button
        type="button"
        className={`${classes.node} nopan`}
        data-status={step.status}
        data-selected={selected || undefined}
        onClick={() => data.onChoose(step.step)}
        aria-label={`${step.name || step.title}: ${step.status}${under && under.toLowerCase() !== step.status ? `, ${under}` : ''}`}
        style={{ width: WIDTH, height: HEIGHT }}
      >
        <Handle type="target" position={Position.Left} className={classes.handle} isConnectable={false} />
        <span className={classes.nodeIcon} style={{ color: `var(--mantine-color-${look.color}-light-color)`, background: `var(--mantine-color-${look.color}-light)` }}>
          <StatusIcon size={17} stroke={2.2} className={look.spin ? classes.spin : undefined} aria-hidden />
        </span>
        <span className={classes.nodeText}>
          <span className={classes.nodeTitle}>{step.name || step.title}</span>
          <span className={classes.nodeUnder}>{under || step.title}</span>
        </span>
        {step.attempt > 1 && <span className={classes.attempt}>{step.attempt}×</span>}
        {step.status === 'running' && <span className={classes.nodeBar} style={{ width: `${Math.max(3, step.progress * 100)}%` }} />}
        <Handle type="source" position={Position.Right} className={classes.handle} isConnectable={false} />
      </button>
    )
  }),
}

/** The same on a phone, where a graph would be too small to read: the steps one below the other, each opening in place. */
export function StepList({ run, selected, onSelect, children }: { run: Run; selected: string | null; onSelect: (step: string | undefined) => void; children: ReactNode }) {
  return (
    <ol className={classes.steps} aria-label="Steps of this run">
      {run.step_runs.map((step) => {
        const look = statusLook(step.status)
        const StatusIcon = look.icon
        const under = told(step)
        const open = step.step === selected
        return (
          <li key={step.id}>
            <button type="button" className={classes.step} aria-expanded={open} onClick={() => onSelect(open ? undefined : step.step)}>
              <span className={classes.nodeIcon} style={{ color: `var(--mantine-color-${look.color}-light-color)`, background: `var(--mantine-color-${look.color}-light)` }}>
                <StatusIcon size={17} stroke={2.2} className={look.spin ? classes.spin : undefined} aria-hidden />
              </span>
              <span className={classes.stepName}>
                {step.name || step.title}
                <span className="visually-hidden"> {step.status}</span>
              </span>
              <span className={classes.stepUnder}>{under}</span>
              {step.status === 'running' && <span className={classes.nodeBar} style={{ width: `${Math.max(3, step.progress * 100)}%` }} />}
            </button>
            {open && <div className={classes.stepBody}>{children}</div>}
          </li>
        )
      })}
    </ol>
  )
}

export function RunGraph({ run, selected, onSelect }: { run: Run; selected: string | null; onSelect: (step: string) => void }) {
  const scheme = useComputedColorScheme('light')
  const spots = useMemo(() => places(run.graph), [run.graph])
  const wires = useMemo(() => wiresOf(run.graph), [run.graph])
  const byStep = useMemo(() => new Map(run.step_runs.map((s) => [s.step, s])), [run.step_runs])
  const nodes = useMemo(
    () =>
      run.step_runs.map((step): StepNode => ({
        id: step.step,
        type: 'step',
        position: spots[step.step] ?? { x: 0, y: 0 },
        data: { step, onChoose: onSelect },
        selected: step.step === selected,
        width: WIDTH,
        height: HEIGHT,
        focusable: false,
      })),
    [run.step_runs, spots, selected, onSelect],
  )
  const edges = useMemo(
    () =>
      wires.map((wire): Edge => {
        const moving = byStep.get(wire.target)?.status === 'running'
        return { id: wire.id, source: wire.source, target: wire.target, animated: moving, focusable: false, ariaLabel: wire.label, style: { stroke: moving ? 'var(--mantine-color-blue-6)' : 'var(--hr-line-strong)' } }
      }),
    [wires, byStep],
  )
  return (
    <div className={classes.graph} role="group" aria-label="Steps of this run">
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
        preventScrolling={false}
        onlyRenderVisibleElements={nodes.length > 150}
        fitView
        fitViewOptions={{ padding: 0.06, maxZoom: 1 }}
        minZoom={0.1}
        maxZoom={1.6}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={20} size={1} />
        <Controls showInteractive={false} position="bottom-left" />
      </ReactFlow>
    </div>
  )
}
