/**
 * Which key chooses what under a label schema: a label's own hotkey or, without one, the next free of 1–9, 0, q w e …
 * Letters that commands use are never given away; a label's own hotkey wins over all but those of editing (Ctrl, Esc, …).
 */
import { controlsInOrder, hasPalette, shapeKind, type LabelConfig, type ShapeKind } from './config'

export interface Bound {
  /** As `matches` reads it: `1`, `q`, `alt+3`, `ctrl+1`. */
  readonly key: string
  readonly control: string
  /** The label or choice; '' means the control's field itself. */
  readonly value: string
}

export const TOOL_KEYS: Record<ShapeKind, string> = { rectangle: 'b', polygon: 'p', ellipse: 'o', keypoint: 'k', brush: 'm', vector: 'n' }
/** Only schemas with masks give these away. */
export const MASK_KEYS = { brush: TOOL_KEYS.brush, eraser: 'e', wand: 'w' } as const
export const SELECT_KEY = 'v'

/** `g` begins the shell's “g d”; the others are commands of the editor (actions/). */
const RESERVED = new Set(['g', 'h', 'l', 'r', 'f', 'z', SELECT_KEY, ...Object.values(TOOL_KEYS).filter((key) => key !== TOOL_KEYS.brush && key !== TOOL_KEYS.vector)])
const POOL = [...'1234567890qwetyuiasdjxcmn'].filter((key) => !RESERVED.has(key))

function normal(hotkey: string): string {
  return hotkey.trim().toLowerCase().replace(/\s/g, '').replace('command', 'ctrl').replace('meta', 'ctrl').replace('mod', 'ctrl')
}

/** All keys in the order in which their labels are shown. No key is given twice. */
export function bindings(config: LabelConfig): Bound[] {
  // Of a pair 1 and 2 are the sides, whatever else is asked.
  const pairsFirst = controlsInOrder(config).sort((a, b) => Number(b.type === 'pairwise') - Number(a.type === 'pairwise'))
  const wanted = pairsFirst.flatMap((control) => {
    if (control.type === 'pairwise') return ['left', 'right'].map((value) => ({ control: control.name, value, own: '' }))
    if (hasPalette(config, control) || control.type === 'choices') return control.labels.map((label) => ({ control: control.name, value: label.value, own: normal(label.hotkey) }))
    if (['textarea', 'number', 'ranker'].includes(control.type)) return [{ control: control.name, value: '', own: '' }]
    return []
  })
  const taken = new Set<string>()
  const found = new Map<(typeof wanted)[number], string>()
  for (const want of wanted) {
    if (!want.own || taken.has(want.own)) continue
    taken.add(want.own)
    found.set(want, want.own)
  }
  const has = (kind: ShapeKind) => config.controls.some((control) => shapeKind(control.type) === kind)
  const own: readonly string[] = [...(has('brush') ? Object.values(MASK_KEYS) : []), ...(has('vector') ? [TOOL_KEYS.vector] : [])]
  const free = POOL.filter((key) => !taken.has(key) && !own.includes(key))
  for (const want of wanted) {
    if (found.has(want)) continue
    const key = want.value === '' ? free.findLast((letter) => letter > '9') : free[0]
    if (key === undefined) continue
    free.splice(free.indexOf(key), 1)
    found.set(want, key)
  }
  const stars = controlsInOrder(config).find((control) => control.type === 'rating')
  const rated = stars ? Array.from({ length: Math.min(9, stars.maximum ?? 5) }, (_, index) => ({ key: `alt+${index + 1}`, control: stars.name, value: String(index + 1) })) : []
  return [...wanted.flatMap((want) => (found.has(want) ? [{ key: found.get(want)!, control: want.control, value: want.value }] : [])), ...rated]
}

export function keyFor(bound: readonly Bound[], control: string, value: string): string {
  return bound.find((one) => one.control === control && one.value === value)?.key ?? ''
}

/** Tools that this schema has, with their keys, in the order in which they are first drawn with. */
export function tools(config: LabelConfig, object: string): { kind: ShapeKind; key: string }[] {
  const kinds = controlsInOrder(config).flatMap((control) => (control.to === object ? (shapeKind(control.type) ?? []) : []))
  return [...new Set(kinds)].map((kind) => ({ kind, key: TOOL_KEYS[kind] }))
}

export interface Press {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

/** Does a press match `ctrl+shift+z`, `Delete`, `?`? Control stands for Command on a Mac; Shift is not asked of signs. */
export function matches(press: Press, keys: string): boolean {
  const parts = keys.toLowerCase().split('+')
  const key = parts.pop() || '+'
  const control = parts.includes('ctrl') || parts.includes('mod')
  if ((press.ctrlKey || press.metaKey) !== control || press.altKey !== parts.includes('alt')) return false
  const sign = key.length === 1 && !/[a-z0-9]/.test(key)
  if (!sign && press.shiftKey !== parts.includes('shift')) return false
  if (press.key.toLowerCase() === key) return true
  // With Alt, Shift or another alphabet the key's own letter is lost; its place on the board is not.
  return /^[a-z0-9]$/.test(key) && (parts.length > 0 || /[^\x20-\x7e]/.test(press.key)) && (press.code === `Key${key.toUpperCase()}` || press.code === `Digit${key}`)
}

/** The label, choice or field that a press means; with Shift a label is only made the next one to draw with. */
export function boundBy(press: Press, bound: readonly Bound[]): { bound: Bound; only: boolean } | null {
  for (const one of bound) {
    if (matches(press, one.key)) return { bound: one, only: false }
    if (press.shiftKey && /^[a-z0-9]$/.test(one.key) && matches(press, `shift+${one.key}`)) return { bound: one, only: true }
  }
  return null
}
