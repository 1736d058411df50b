/** How a component looks in the palette and in the quick-add list. */
import { Group } from '@mantine/core'
import { IconArrowNarrowRight } from '@tabler/icons-react'

import { kindOf, type Catalog } from '../graph/catalog'
import type { Component, Port } from '../graph/types'
import { KindMark } from './KindMark'
import { stageLook } from './look'
import classes from './palette.module.css'

export function StageTile({ stage, size = 30 }: { stage: string; size?: number }) {
  const { icon: StageIcon, color } = stageLook(stage)
  return (
    <span className={classes.tile} style={{ width: size, height: size, background: `var(--mantine-color-${color}-light)`, color: `var(--mantine-color-${color}-light-color)` }}>
      <StageIcon size={size * 0.58} stroke={1.8} aria-hidden />
    </span>
  )
}

function Marks({ catalog, ports }: { catalog: Catalog; ports: readonly Port[] }) {
  return (
    <>
      {ports.map((port) => {
        const kind = kindOf(catalog, port.kind)
        return <KindMark key={port.name} color={kind.color} shape={kind.shape} hollow={!port.required} size={11} />
      })}
    </>
  )
}

/** What goes in and what comes out, as marks; in words for screen readers. */
export function KindDots({ catalog, component }: { catalog: Catalog; component: Component }) {
  const list = (ports: readonly Port[]) => ports.map((port) => kindOf(catalog, port.kind).title).join(', ') || 'nothing'
  const words = `takes ${list(component.inputs)}; gives ${list(component.outputs)}`
  return (
    <Group gap={3} wrap="nowrap" className={classes.dots} title={words}>
      <Marks catalog={catalog} ports={component.inputs} />
      <IconArrowNarrowRight size={13} aria-hidden />
      <Marks catalog={catalog} ports={component.outputs} />
      <span className="visually-hidden">{words}</span>
    </Group>
  )
}
