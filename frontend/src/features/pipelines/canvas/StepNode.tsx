/** One step on the canvas. Drawn small when zoomed out; every part reads only what it shows. */
import { Handle, Position as Side, useStore, type Node, type NodeProps } from '@xyflow/react'
import { IconAlertTriangle, IconNote, IconPlus } from '@tabler/icons-react'
import { memo, type CSSProperties } from 'react'

import { statusLook } from '@/ui/StatusBadge'

import { componentOf, kindOf } from '../graph/catalog'
import { flowBadges } from '../graph/flow'
import { FOOT, HEAD, ROW } from '../graph/geometry'
import { isPortStep } from '../graph/nested'
import type { Port, Step } from '../graph/types'
import classes from './canvas.module.css'
import { useEditor, useEditorState } from './hooks'
import { problemsAt } from '../graph/problems'
import { KindMark } from './KindMark'
import { FLOW_LOOK, stageLook } from './look'

export type StepNodeType = Node<{ step: Step; kinds: Readonly<Record<string, string>> }, 'step'>

const FAR = 0.45

export const StepNode = memo(function StepNode({ id, data, selected, dragging }: NodeProps<StepNodeType>) {
  const editor = useEditor()
  const { step, kinds } = data
  const far = useStore((state) => state.transform[2] < FAR)
  const catalog = useEditorState((state) => state.catalog)
  const status = useEditorState((state) => state.status[id])
  const problems = useEditorState((state) => problemsAt(state.problems, id).length + problemsAt(state.runProblems, id).length)
  const severe = useEditorState((state) => problemsAt(state.runProblems, id).length > 0 || problemsAt(state.problems, id).some((p) => p.severity === 'error'))
  const peer = useEditorState((state) => state.peers.find((other) => other.selection.includes(id)))
  const component = componentOf(catalog, step)
  const look = stageLook(component?.stage ?? '')
  const StageIcon = look.icon
  const title = step.name || component?.title || step.component
  const rows = Math.max(1, component?.inputs.length ?? 0, component?.outputs.length ?? 0)
  const style = { height: HEAD + rows * ROW + FOOT, '--stage': `var(--mantine-color-${look.color}-6)`, '--peer': peer?.color } as CSSProperties
  const badges = flowBadges(step, component)
  const state = status ? statusLook(status.status) : null
  const StatusIcon = state?.icon

  return (
    <div className={classes.step} style={style} data-far={far || undefined} data-selected={selected || undefined} data-dragging={dragging || undefined} data-status={status?.status} data-peer={peer ? true : undefined} data-step={id} data-port-step={isPortStep(step) || undefined}>
      {peer && !far && <span className={classes.peerName}>{peer.name}</span>}
      <div className={classes.head}>
        {!far && (
          <span className={classes.stageIcon} data-color={look.color} style={{ background: `var(--mantine-color-${look.color}-light)`, color: `var(--mantine-color-${look.color}-light-color)` }}>
            <StageIcon size={18} stroke={1.8} aria-hidden />
          </span>
        )}
        <div className={classes.titles}>
          <div className={classes.title}>{title}</div>
          {!far && <div className={classes.component}>{step.name ? (component?.title ?? step.component) : id}</div>}
        </div>
        {badges
          // From afar only what keeps the step from running at all.
          .filter((badge) => !far || badge.part === 'pin')
          .map((badge) => {
            const { icon: Sign } = FLOW_LOOK[badge.part]
            return (
              <span key={badge.part} className={classes.flow} data-part={badge.part} role="img" aria-label={badge.words} data-tip={badge.words}>
                <Sign size={far ? 30 : 12} stroke={2} aria-hidden />
                {!far && badge.sign}
              </span>
            )
          })}
        {!far && step.note && (
          <span className={classes.mark} data-tip={step.note}>
            <IconNote size={15} aria-hidden />
          </span>
        )}
        {StatusIcon && status && (
          <span className={classes.mark} style={{ color: `var(--mantine-color-${state?.color}-text)` }} data-tip={statusTip(status)} role="img" aria-label={status.status}>
            <StatusIcon size={far ? 34 : 17} stroke={2.2} className={state?.spin ? classes.spin : undefined} aria-hidden />
          </span>
        )}
        {problems > 0 && (
          <span className={classes.problem} data-severe={severe || undefined} role="img" aria-label={`${problems} ${problems === 1 ? 'problem' : 'problems'}`} data-tip={editor.problemsOf(id).map((p) => p.message).join('\n')}>
            <IconAlertTriangle size={far ? 30 : 14} aria-hidden />
            {!far && problems}
          </span>
        )}
      </div>
      {status?.status === 'running' && <div className={classes.progress} style={{ width: `${Math.max(4, status.progress * 100)}%` }} />}
      {far ? (
        <FarPorts inputs={component?.inputs ?? []} outputs={component?.outputs ?? []} />
      ) : (
        <>
          {component?.inputs.map((port, index) => (
            <PortRow key={`in-${port.name}`} step={id} port={port} side="input" index={index} wired={step.inputs[port.name]?.length ?? 0} kindName={port.kind} list={step.map?.port === port.name} />
          ))}
          {component?.outputs.map((port, index) => (
            <PortRow key={`out-${port.name}`} step={id} port={port} side="output" index={index} wired={-1} kindName={kinds[port.name] ?? port.kind} list={step.map !== undefined} />
          ))}
          {!component && <div className={classes.unknown}>This studio has no component “{step.component}”.</div>}
        </>
      )}
    </div>
  )
})

function statusTip(status: { status: string; message: string; skip_reason: string; error: { message: string } | null }): string {
  return [status.status, status.skip_reason || status.error?.message || status.message].filter(Boolean).join(': ')
}

/** Zoomed out nobody aims at ports: plain boxes, only there so that wires know where they end. */
function FarPorts({ inputs, outputs }: { inputs: Port[]; outputs: Port[] }) {
  return (
    <>
      {inputs.map((port, index) => (
        <div key={port.name} className={`target ${classes.farPort}`} data-handleid={`in:${port.name}`} data-handlepos="left" style={{ top: HEAD + index * ROW + ROW / 2, left: 0 }} />
      ))}
      {outputs.map((port, index) => (
        <div key={port.name} className={`source ${classes.farPort}`} data-handleid={`out:${port.name}`} data-handlepos="right" style={{ top: HEAD + index * ROW + ROW / 2, left: '100%' }} />
      ))}
    </>
  )
}

const PortRow = memo(function PortRow({ step, port, side, index, wired, kindName, list }: { step: string; port: Port; side: 'input' | 'output'; index: number; wired: number; kindName: string; list: boolean }) {
  const editor = useEditor()
  const kind = useEditorState((state) => kindOf(state.catalog, kindName))
  const readOnly = useEditorState((state) => state.readOnly)
  const wiring = useEditorState((state) => {
    if (!state.pending) return 'idle'
    if (state.pending.step === step && state.pending.port === port.name && state.pending.side === side) return 'from'
    return state.pending.side !== side && state.fits.has(`${step}.${port.name}`) ? 'fits' : 'not'
  })
  const input = side === 'input'
  const missing = input && port.required && wired === 0
  const tip = [`${port.title} · ${kind.title}${list ? (input ? ' (a shard at a time)' : ' (a list, one of each shard)') : ''}${port.many ? ' (several wires)' : ''}${input && !port.required ? ' (optional)' : ''}`, port.help, missing ? 'Nothing is connected here yet, and the step needs it.' : '']
    .filter(Boolean)
    .join('\n')

  const click = () => {
    if (readOnly) return
    const { pending } = editor.state
    if (pending?.by === 'click') {
      const edge = editor.edgeBetween(pending, { step, port: port.name, side })
      if (pending.step === step && pending.port === port.name) editor.stop()
      else if (!edge) editor.refuse('A wire goes from an output to an input.')
      else if (editor.connect(edge)) editor.stop()
      return
    }
    editor.start({ step, port: port.name, side }, 'click')
  }

  return (
    // React Flow keeps the click of a handle for itself, so it is taken here. The keyboard has its own way (C).
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events -- as said above
    <div onClick={(event) => (event.target as Element).closest('.react-flow__handle') && click()} className={classes.port} data-side={side} style={{ top: HEAD + index * ROW }} data-wiring={wiring} data-missing={missing || undefined}>
      <Handle
        id={`${input ? 'in' : 'out'}:${port.name}`}
        type={input ? 'target' : 'source'}
        position={input ? Side.Left : Side.Right}
        className={classes.handle}
        isConnectable={!readOnly}
        data-tip={tip}
        role="img"
        aria-label={`${input ? 'Input' : 'Output'} ${port.title}, ${kind.title}${list ? (input ? ', a shard at a time' : ', a list') : ''}${missing ? ', not connected' : ''}`}
      >
        <KindMark color={kind.color} shape={kind.shape} hollow={input && wired === 0} />
      </Handle>
      <span className={classes.portName} data-tip={tip}>
        {port.title}
        {missing && <span className={classes.required} aria-hidden>*</span>}
      </span>
      {!readOnly && wiring === 'idle' && (
        <button
          type="button"
          tabIndex={-1}
          className={`${classes.plus} nodrag nopan`}
          data-side={side}
          aria-label={input ? `Add a step before ${port.title}` : `Add a step after ${port.title}`}
          onClick={(event) => {
            event.stopPropagation()
            editor.open({ name: 'add', end: { step, port: port.name, side } })
          }}
        >
          <IconPlus size={14} stroke={2.4} aria-hidden />
        </button>
      )}
    </div>
  )
})
