/** Which of two objects is better: which they are, and saying so. */
import { objectOf, type LabelConfig, type LabelControl, type LabelObject } from '../config'
import { answerOf, withAnswer } from '../result'
import type { EditorStore } from '../store'

export type Side = 'left' | 'right'

export const SIDES: readonly Side[] = ['left', 'right']
/** On a phone one lies below the other: they are first and second, not left and right. */
export const SIDE_NAMES: Record<Side, string> = { left: 'First', right: 'Second' }

export interface Pair {
  readonly control: LabelControl
  readonly objects: Readonly<Record<Side, LabelObject>>
}

/** The pair that begins with an object. */
export function pairOf(config: LabelConfig, first: string): Pair | null {
  const control = config.controls.find((one) => one.type === 'pairwise' && one.to === first)
  const [left, right] = [objectOf(config, first), objectOf(config, control?.to_more[0] ?? '')]
  return control && left && right ? { control, objects: { left, right } } : null
}

export function isSecond(config: LabelConfig, object: string): boolean {
  return config.controls.some((one) => one.type === 'pairwise' && one.to_more.includes(object))
}

export function selectedOf(entry: { value: Readonly<Record<string, unknown>> } | undefined): Side | null {
  const said = entry?.value.selected
  return said === 'left' || said === 'right' ? said : null
}

/** The same side again takes the answer back. */
export function choose(editor: EditorStore, control: LabelControl, side: string): void {
  const before = selectedOf(answerOf(editor.state.result, control.name))
  const now = before === side ? null : { selected: side }
  editor.apply(withAnswer(editor.state.result, control, now), now ? `${SIDE_NAMES[side as Side]} is better` : 'Neither is chosen')
}
