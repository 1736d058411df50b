/**
 * An annotation's content in Label Studio's result format, and immutable changes of it. Every function gives the same
 * object back for what it does not change, so that drawing can skip it.
 */
import { controlOf, labelKey, objectOf, optionOf, shapeKind, toName, type LabelConfig, type LabelControl, type ShapeKind } from './config'

export type Value = Readonly<Record<string, unknown>>
export type Origin = 'manual' | 'prediction' | 'prediction-changed'

export interface Region {
  readonly id: string
  readonly from_name: string
  readonly to_name: string
  readonly type: string
  readonly value: Value
  readonly original_width?: number
  readonly original_height?: number
  readonly image_rotation?: 0
  /** Seconds of the sound. */
  readonly original_length?: number
  readonly origin?: Origin
  /** The key point with which its instance began. */
  readonly parentID?: string
  readonly meta?: { readonly text?: readonly string[] }
  /** The page of a document, from 0. */
  readonly item_index?: number
}

export interface Relation {
  readonly type: 'relation'
  readonly from_id: string
  readonly to_id: string
  readonly direction: 'left' | 'right' | 'bi'
  readonly labels?: readonly string[]
}

export type Entry = Region | Relation
export type Result = readonly Entry[]

/** A region as it is drawn and listed: its main entry with what is said about it. */
export interface Drawn {
  readonly id: string
  readonly to: string
  readonly kind: ShapeKind | 'span' | 'segment' | 'track'
  readonly main: Region
  readonly attributes: readonly Region[]
  readonly labels: readonly string[]
  /** `#rrggbb` of its first label. */
  readonly color: string
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'
const PLAIN = '#2563eb'

export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => LETTERS[byte % 64]).join('')
}

export function isRelation(entry: Entry): entry is Relation {
  return entry.type === 'relation'
}

export function relationsOf(result: Result): Relation[] {
  return result.filter(isRelation)
}

/** Is this entry what makes a region (a shape, or a span of text)? */
export function isMain(entry: Region): boolean {
  return shapeKind(entry.type) !== null || entry.type === 'videorectangle' || (entry.type === 'labels' && typeof entry.value.start === 'number')
}

export function labelsOf(entry: Region): readonly string[] {
  const said = entry.value[labelKey(entry.type)]
  return (entry.type === 'videorectangle' || entry.type.endsWith('labels')) && Array.isArray(said) ? (said as string[]) : []
}

const seen = new WeakMap<Region, Drawn>()

/** All regions in their order. A region whose entries are unchanged is the same object as before. */
export function drawnRegions(config: LabelConfig, result: Result): Drawn[] {
  const byId = new Map<string, { main: Region | null; attributes: Region[] }>()
  for (const entry of result) {
    if (isRelation(entry)) continue
    let group = byId.get(entry.id)
    if (!group) byId.set(entry.id, (group = { main: null, attributes: [] }))
    if (!group.main && isMain(entry)) group.main = entry
    else group.attributes.push(entry)
  }
  const found: Drawn[] = []
  for (const { main, attributes } of byId.values()) {
    if (!main) continue
    const before = seen.get(main)
    if (before && before.attributes.length === attributes.length && before.attributes.every((entry, index) => entry === attributes[index])) {
      found.push(before)
      continue
    }
    const namer = labelsOf(main).length > 0 ? main : (attributes.find((entry) => labelsOf(entry).length > 0) ?? main)
    const labels = labelsOf(namer)
    const color = optionOf(controlOf(config, namer.from_name), labels[0] ?? '')?.color ?? PLAIN
    const drawn: Drawn = { id: main.id, to: main.to_name, kind: kindOf(config, main), main, attributes, labels, color }
    seen.set(main, drawn)
    found.push(drawn)
  }
  return found
}

function kindOf(config: LabelConfig, main: Region): Drawn['kind'] {
  if (main.type === 'videorectangle') return 'track'
  return shapeKind(main.type) ?? (objectOf(config, main.to_name)?.tag === 'Audio' ? 'segment' : 'span')
}

/** The page that a region lies on; what is no document has one. */
export function pageOf(drawn: Drawn): number {
  return drawn.main.item_index ?? 0
}

/** A region's title: its labels or, without, what it is. */
export function titleOf(drawn: Drawn): string {
  return drawn.labels.join(', ') || { rectangle: 'Box', polygon: 'Polygon', ellipse: 'Ellipse', keypoint: 'Point', brush: 'Mask', vector: 'Line', span: 'Text', segment: 'Segment', track: 'Track' }[drawn.kind]
}

/** The entry of a control: about the item or, with `region`, about that region. */
export function answerOf(result: Result, control: string, region?: string): Region | undefined {
  return result.find((entry): entry is Region => !isRelation(entry) && entry.from_name === control && (region === undefined || entry.id === region))
}

function touched(entry: Region): Region {
  return entry.origin === 'prediction' ? { ...entry, origin: 'prediction-changed' } : entry
}

/** Sets or, with null, removes what a control says about the item or about a region. */
export function withAnswer(result: Result, control: Pick<LabelControl, 'name' | 'to' | 'type'>, value: Value | null, region?: string): Result {
  const before = answerOf(result, control.name, region)
  if (before) {
    if (!value) return result.filter((entry) => entry !== before)
    return result.map((entry) => (entry === before ? { ...touched(before), value: { ...before.value, ...value } } : entry))
  }
  if (!value) return result
  const added: Region = { id: region ?? newId(), from_name: control.name, to_name: toName(control), type: control.type, value, origin: 'manual' }
  if (region === undefined) return [...result, added]
  // Beside its region, so that a person who reads the export finds them together.
  const last = result.findLastIndex((entry) => !isRelation(entry) && entry.id === region)
  return [...result.slice(0, last + 1), added, ...result.slice(last + 1)]
}

/** The choices after one was pressed: another replaces it, or joins it where several may be chosen; the same takes it away. */
export function toggledChoice(chosen: readonly string[], value: string, multiple: boolean): string[] {
  if (chosen.includes(value)) return chosen.filter((other) => other !== value)
  return multiple ? [...chosen, value] : [value]
}

const GEOMETRY = ['x', 'y', 'width', 'height', 'rotation', 'radiusX', 'radiusY', 'points', 'vertices', 'closed', 'start', 'end', 'text', 'format', 'rle', 'channel', 'sequence', 'framesCount', 'duration']

/** A region moved or reshaped; entries that repeat its place (as Label Studio writes attributes) follow. */
export function withGeometry(result: Result, id: string, geometry: Value): Result {
  return result.map((entry) => {
    if (isRelation(entry) || entry.id !== id) return entry
    // Of an answer only its place is taken over: a text area's own `text` is not the region's.
    const repeats = isMain(entry) || entry.value.x !== undefined || entry.value.points !== undefined || entry.value.vertices !== undefined || entry.value.rle !== undefined || entry.value.start !== undefined
    if (!repeats) return entry
    const taken = Object.fromEntries(Object.entries(geometry).filter(([key]) => GEOMETRY.includes(key) && (key !== 'text' || entry.type !== 'textarea')))
    return { ...touched(entry), value: { ...entry.value, ...taken } }
  })
}

export function withoutRegions(result: Result, ids: ReadonlySet<string>): Result {
  const kept = result.filter((entry) => (isRelation(entry) ? !ids.has(entry.from_id) && !ids.has(entry.to_id) : !ids.has(entry.id)))
  if (kept.length === result.length) return result
  // The points of an instance whose first is gone follow the next one.
  const heirs = new Map<string, string>()
  return kept.map((entry): Entry => {
    if (isRelation(entry) || entry.parentID === undefined || !ids.has(entry.parentID)) return entry
    const heir = heirs.get(entry.parentID)
    if (heir) return { ...entry, parentID: heir }
    heirs.set(entry.parentID, entry.id)
    const { parentID: _, ...first } = entry
    return first
  })
}

/** Copies of regions with their attributes and the relations between them, under new ids. */
export function copied(entries: Result): { entries: Entry[]; ids: string[] } {
  const ids = new Map<string, string>()
  for (const entry of entries) if (!isRelation(entry) && !ids.has(entry.id)) ids.set(entry.id, newId())
  const made = entries.flatMap((entry): Entry[] => {
    if (!isRelation(entry)) {
      const { parentID, ...rest } = entry
      const parent = parentID && ids.get(parentID)
      return [{ ...rest, id: ids.get(entry.id) ?? newId(), origin: 'manual', ...(parent ? { parentID: parent } : {}) }]
    }
    const [from, to] = [ids.get(entry.from_id), ids.get(entry.to_id)]
    return from && to ? [{ ...entry, from_id: from, to_id: to }] : []
  })
  return { entries: made, ids: [...ids.values()] }
}

/** The entries of some regions and the relations among them. */
export function entriesOf(result: Result, ids: ReadonlySet<string>): Result {
  return result.filter((entry) => (isRelation(entry) ? ids.has(entry.from_id) && ids.has(entry.to_id) : ids.has(entry.id)))
}

/** Two regions have at most one relation: adding it again changes nothing. */
export function withRelation(result: Result, from: string, to: string): Result {
  if (from === to) return result
  const there = relationsOf(result).some((relation) => (relation.from_id === from && relation.to_id === to) || (relation.from_id === to && relation.to_id === from))
  return there ? result : [...result, { type: 'relation', from_id: from, to_id: to, direction: 'right' }]
}

const TURNS = { right: 'left', left: 'bi', bi: 'right' } as const

export function withTurned(result: Result, relation: Relation): Result {
  return result.map((entry) => (entry === relation ? { ...relation, direction: TURNS[relation.direction] } : entry))
}

/** The same JSON? */
export function equalValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => equalValue(item, b[index]))
  const [first, second] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const keys = Object.keys(first)
  return keys.length === Object.keys(second).length && keys.every((key) => key in second && equalValue(first[key], second[key]))
}

/** Do two results say the same, in the same order? */
export function equalResults(a: Result, b: Result): boolean {
  return equalValue(a, b)
}
