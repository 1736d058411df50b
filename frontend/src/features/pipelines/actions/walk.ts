import { IconArrowDown, IconArrowLeft, IconArrowRight, IconArrowUp, IconArrowsMove, type Icon } from '@tabler/icons-react'

import * as edit from '../graph/edit'
import { GRID } from '../graph/geometry'
import { next, walk as walkGraph, type Direction } from '../graph/walk'
import { always, type Action } from './action'

const ICONS: Record<Direction, Icon> = { left: IconArrowLeft, right: IconArrowRight, up: IconArrowUp, down: IconArrowDown }
const DELTA: Record<Direction, [number, number]> = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }
const WORDS: Record<Direction, string> = { left: 'to the left', right: 'to the right', up: 'above', down: 'below' }

const directions: Direction[] = ['left', 'right', 'up', 'down']
const name = (direction: Direction) => `Arrow${direction[0]?.toUpperCase()}${direction.slice(1)}`

/** Arrows walk from step to step: along the wires where there are some. */
export const walkActions: Action[] = directions.map((direction) => ({
  id: `pipeline.walk-${direction}`,
  label: `Go to the step ${WORDS[direction]}`,
  icon: ICONS[direction],
  group: 'Walk',
  keys: [name(direction)],
  places: [],
  quiet: true,
  available: always,
  run: (editor) => {
    const to = walkGraph(editor.graph, editor.catalog, editor.selected[0] ?? null, direction)
    if (to) editor.goTo(to)
    else editor.announce(`No step ${WORDS[direction]}.`)
  },
}))

/** Shift and an arrow move what is selected by three steps of the grid. */
export const nudgeActions: Action[] = directions.map((direction) => ({
  id: `pipeline.nudge-${direction}`,
  label: `Move what is selected ${direction}`,
  icon: IconArrowsMove,
  group: 'Walk',
  keys: [`shift+${name(direction)}`],
  places: [],
  quiet: true,
  available: (editor) => !editor.state.readOnly && editor.selected.length > 0,
  run: (editor) => {
    const [dx, dy] = DELTA[direction]
    const keys = editor.selected
    editor.change(edit.nudge(editor.graph, editor.state.steps, dx * GRID * 3, dy * GRID * 3), `Moved ${keys.length === 1 ? editor.title(keys[0] ?? '') : `${keys.length} steps`} ${direction}`, `nudge:${keys.join()}`)
  },
}))

export const orderActions: Action[] = ([1, -1] as const).map((by) => ({
  id: by === 1 ? 'pipeline.next' : 'pipeline.previous',
  label: by === 1 ? 'Go to the next step' : 'Go to the previous step',
  icon: by === 1 ? IconArrowRight : IconArrowLeft,
  group: 'Walk',
  keys: [by === 1 ? 'N' : 'shift+N'],
  places: [],
  quiet: true,
  available: always,
  run: (editor) => {
    const to = next(editor.graph, editor.catalog, editor.selected[0] ?? null, by)
    if (to) editor.goTo(to)
  },
}))
