/**
 * The shared draft of an item: a Yjs document seen as an immutable result, with undo of one's own changes. Its shape is
 * told in `backend/labeling/document.py`: a map for each entry, whose name, place and key frames are each changed as one.
 */
import * as Y from 'yjs'

import { equalValue, isMain, isRelation, maskFrom, maskOf, newId, rleOf, shapeKind, toName, without, type Entry, type LabelConfig, type LiveResult, type Mask, type Region, type Result } from '../editor'
import { laid, packedMark, pictureOf, type Laid } from './marks'

const LOCAL = Symbol('local')
const TOGETHER_MS = 1200
const GEOMETRY = new Set(['x', 'y', 'width', 'height', 'rotation', 'radiusX', 'radiusY', 'points', 'closed', 'start', 'end', 'text'])
const TRACK = 'videorectangle'
const NAMED = ['id', 'from_name', 'to_name', 'type'] as const

type Fields = Record<string, unknown>
type Kept = { readonly entry: Entry; readonly order: number }

export class SharedResult implements LiveResult {
  readonly doc = new Y.Doc()
  private readonly regions: Y.Map<unknown>
  private readonly manager: Y.UndoManager
  private readonly listeners = new Set<() => void>()
  private readonly kept = new Map<string, Kept>()
  private list: Result = []
  /** Masks as they were read last, by the key of their entry. */
  private readonly laid = new Map<string, Laid>()
  /** Keys of the entries in `list`: others (of a region that is gone) are in the document and not shown. */
  private shown: readonly string[] = []
  private label = ''
  private last = { together: '', at: 0 }

  constructor(private readonly config: LabelConfig) {
    this.regions = this.doc.getMap('regions')
    // The manager never decides by time what belongs together: `apply` does.
    this.manager = new Y.UndoManager([this.regions], { trackedOrigins: new Set([LOCAL]), captureTimeout: Number.MAX_SAFE_INTEGER })
    this.manager.on('stack-item-added', (event: { stackItem: { meta: Map<unknown, unknown> } }) => {
      if (!event.stackItem.meta.has('label')) event.stackItem.meta.set('label', this.label)
    })
    this.regions.observeDeep((events, transaction) => {
      if (transaction.origin === LOCAL) return
      const touched = new Set<string>()
      for (const event of events) {
        if (event.target === this.regions) for (const key of event.keys.keys()) touched.add(key)
        else touched.add(String(event.path[0]))
      }
      for (const key of touched) this.look(key)
      this.arrange()
      for (const listener of this.listeners) listener()
    })
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  read = (): Result => this.list

  /** Nobody ever changed it. */
  get untouched(): boolean {
    return this.doc.store.clients.size === 0
  }

  get canUndo(): boolean {
    return this.manager.undoStack.length > 0
  }

  get canRedo(): boolean {
    return this.manager.redoStack.length > 0
  }

  apply(next: Result, label: string, together: string): void {
    const now = Date.now()
    if (!together || together !== this.last.together || now - this.last.at > TOGETHER_MS) this.manager.stopCapturing()
    this.last = { together, at: now }
    this.label = label
    this.doc.transact(() => this.write(next), LOCAL)
    this.arrange()
  }

  /** What somebody began alone becomes a part of the draft; no step of undo. */
  begin(result: Result): void {
    this.doc.transact(() => this.write([...this.list, ...result]), this)
  }

  undo(): string | undefined {
    return this.travel(this.manager.undoStack, () => this.manager.undo())
  }

  redo(): string | undefined {
    return this.travel(this.manager.redoStack, () => this.manager.redo())
  }

  destroy(): void {
    this.manager.destroy()
    this.listeners.clear()
  }

  private travel(stack: { meta: Map<unknown, unknown> }[], go: () => unknown): string | undefined {
    const top = stack.at(-1)
    if (!top) return undefined
    this.label = String(top.meta.get('label') ?? '')
    this.last = { together: '', at: 0 }
    // One step at a time: Yjs would pass over a stroke that the studio has folded meanwhile, and undo what was before it unasked.
    const before = stack.splice(0, stack.length - 1)
    try {
      return go() ? this.label : undefined
    } finally {
      stack.unshift(...before)
    }
  }

  /** Reads one entry anew. */
  private look(key: string): void {
    const held = this.regions.get(key)
    const entry = held instanceof Y.Map ? this.entryOf(key, held as Y.Map<unknown>) : null
    if (!entry) {
      this.kept.delete(key)
      this.laid.delete(key)
    } else {
      const order = (held as Y.Map<unknown>).get('order')
      this.kept.set(key, { entry, order: typeof order === 'number' ? order : 0 })
    }
  }

  private entryOf(key: string, held: Y.Map<unknown>): Entry | null {
    const entry = entryOf(this.config, held)
    const size = entry && !isRelation(entry) && shapeKind(entry.type) === 'brush' ? pictureOf({ ...entry }) : null
    const marks = new Map([...held.entries()].filter(([field]) => field.startsWith('mark:')))
    if (!entry || isRelation(entry) || !size || marks.size === 0) return entry
    const before = this.laid.get(key)
    const bytes = held.get('said:rle')
    const base = bytes === undefined ? nothing(size, before) : maskFrom(plain(bytes), size)
    const found = laid(base, marks, before)
    this.laid.set(key, found)
    return { ...entry, value: { ...entry.value, rle: rleOf(found.mask) } }
  }

  /** What was done to a mask, as a mark of its own. */
  private mark(key: string, held: Y.Map<unknown>, before: Mask, after: Mask): void {
    const [add, cut] = [without(after, before).edges, without(before, after).edges]
    if (add.length + cut.length === 0) return
    held.set(`mark:${newId()}`, packedMark({ n: (this.laid.get(key)?.last ?? 0) + 1, add, cut }))
    // Read again: the next mark goes on from it.
    this.entryOf(key, held)
  }

  private arrange(): void {
    const keys = [...this.kept.keys()].sort((a, b) => this.kept.get(a)!.order - this.kept.get(b)!.order || (a < b ? -1 : 1))
    const ids = new Set(keys.map((key) => (key.startsWith('/') ? (this.kept.get(key)!.entry as Region).id : key)))
    this.shown = keys.filter((key) => {
      const { entry } = this.kept.get(key)!
      if (isRelation(entry)) return ids.has(entry.from_id) && ids.has(entry.to_id)
      const slash = key.indexOf('/')
      return slash < 1 || ids.has(key.slice(0, slash))
    })
    this.list = this.shown.map((key) => this.kept.get(key)!.entry)
  }

  /** Touches only what differs: what others do elsewhere stays. */
  private write(next: Result): void {
    const before = new Map(this.shown.map((key) => [key, this.kept.get(key)!]))
    const keys = keysOf(next, before)
    const wanted = new Set(keys)
    for (const key of before.keys()) {
      if (wanted.has(key)) continue
      this.regions.delete(key)
      this.kept.delete(key)
    }
    let order = 0
    next.forEach((entry, index) => {
      const key = keys[index]!
      const kept = this.kept.get(key)
      const held = this.regions.get(key)
      if (kept && held instanceof Y.Map) {
        order = kept.order
        if (kept.entry === entry) return
        const [old, now] = [fieldsOf(kept.entry), fieldsOf(entry)]
        for (const field of Object.keys(old)) if (!(field in now)) held.delete(field)
        // A draft of before key frames were fields of their own: from here on they are.
        const whole = held.has('said:sequence') && Object.keys(now).some((field) => field.startsWith('key:'))
        if (whole) held.delete('said:sequence')
        for (const [field, value] of Object.entries(now)) if (!equalValue(old[field], value) || (whole && field.startsWith('key:'))) held.set(field, value)
        const [was, is] = [maskIn(kept.entry), maskIn(entry)]
        if (was && is && was !== is) this.mark(key, held as Y.Map<unknown>, was, is)
      } else {
        const after = keys.slice(index + 1).map((other) => before.get(other)?.order).find((other) => other !== undefined && other > order)
        order = after === undefined ? Math.floor(order) + 1 : (order + after) / 2
        const mask = maskIn(entry)
        const begun: [string, unknown][] = mask ? [['mark:0', packedMark({ n: 0, add: mask.edges, cut: [] })]] : []
        const made = new Y.Map<unknown>([...Object.entries(fieldsOf(entry)), ...begun, ['order', order]])
        this.regions.set(key, made)
        if (mask) this.entryOf(key, made)
      }
      this.kept.set(key, { entry, order })
    })
  }
}

/** The key of each entry: where it is kept already, else as the shape of the document says. */
function keysOf(result: Result, before: ReadonlyMap<string, Kept>): string[] {
  const mains = new Map<string, Entry>()
  for (const entry of result) if (!isRelation(entry) && isMain(entry) && !mains.has(entry.id)) mains.set(entry.id, entry)
  const there = new Map<string, string>()
  for (const [key, { entry }] of before) if (!isRelation(entry)) there.set(`${entry.id}/${entry.from_name}`, key)
  return result.map((entry) => {
    if (isRelation(entry)) return `${entry.from_id} ${entry.to_id}`
    const main = mains.get(entry.id)
    const key = main === entry ? entry.id : main ? `${entry.id}/${entry.from_name}` : `/${entry.from_name}`
    return before.has(key) ? key : (there.get(`${entry.id}/${entry.from_name}`) ?? key)
  })
}

/** The mask of an entry that is kept as marks; null for all else. */
function maskIn(entry: Entry): Mask | null {
  if (isRelation(entry) || shapeKind(entry.type) !== 'brush') return null
  const size = pictureOf({ ...entry })
  return size && maskFrom(entry.value.rle, size)
}

function nothing(size: { width: number; height: number }, before: Laid | undefined): Mask {
  return before && before.base.width === size.width && before.base.height === size.height && before.base.area === 0 ? before.base : maskOf(size, [])
}

function fieldsOf(entry: Entry): Fields {
  if (isRelation(entry)) {
    const { type, from_id, to_id, ...rest } = entry
    return { name: { type, from_id, to_id }, ...prefixed('also', rest) }
  }
  const { id, from_name, to_name, type, value, ...rest } = entry
  const labels = type.endsWith('labels') && Array.isArray(value[type]) ? value[type] : undefined
  const others = Object.fromEntries(Object.entries(value).filter(([part]) => labels === undefined || part !== type))
  const isPlace = (part: string) => GEOMETRY.has(part) && (part !== 'text' || type !== 'textarea')
  const place = Object.fromEntries(Object.entries(others).filter(([part]) => isPlace(part)))
  const marked = maskIn(entry) !== null
  const keys = type === TRACK && Array.isArray(others.sequence) ? (others.sequence as { frame: number }[]) : null
  const said = Object.fromEntries(Object.entries(others).filter(([part]) => !isPlace(part) && !(marked && part === 'rle') && !(keys && part === 'sequence')))
  return { name: { id, from_name, to_name, type, ...(labels ? { labels } : {}) }, ...(Object.keys(place).length > 0 ? { place } : {}), ...prefixed('said', said), ...Object.fromEntries((keys ?? []).map((key) => [`key:${key.frame}`, key])), ...prefixed('also', rest) }
}

function prefixed(prefix: string, parts: object): Fields {
  return Object.fromEntries(Object.entries(parts).flatMap(([part, value]) => (value === undefined ? [] : [[`${prefix}:${part}`, value]])))
}

/** Null for what no editor of ours could have written: what comes over the document is somebody else's. */
function entryOf(config: LabelConfig, held: Y.Map<unknown>): Entry | null {
  const fields = plain(held.toJSON()) as Fields
  const name = fields.name
  if (!isObject(name)) return null
  const taken = (prefix: string) => Object.fromEntries(Object.entries(fields).flatMap(([field, value]) => (field.startsWith(prefix) ? [[field.slice(prefix.length), value]] : [])))
  const also = taken('also:')
  if (name.type === 'relation') {
    const direction = ['left', 'right', 'bi'].includes(String(also.direction)) ? (also.direction as 'left') : 'right'
    return typeof name.from_id === 'string' && typeof name.to_id === 'string' ? { ...also, type: 'relation', from_id: name.from_id, to_id: name.to_id, direction } : null
  }
  if (!NAMED.every((part) => typeof name[part] === 'string')) return null
  const control = config.controls.find((one) => one.name === name.from_name)
  if (!control || control.type !== name.type || toName(control) !== name.to_name) return null
  const labels = Array.isArray(name.labels) ? { [String(name.type)]: name.labels.filter((label) => typeof label === 'string') } : {}
  const place = isObject(fields.place) ? fields.place : {}
  if (Object.entries(place).some(([part, value]) => !['points', 'closed', 'text'].includes(part) && !Number.isFinite(value))) return null
  if ('points' in place && !(Array.isArray(place.points) && place.points.every((point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite)))) return null
  const sequence = name.type === TRACK ? sequenceOf(taken('said:').sequence, taken('key:')) : null
  // Each of two people took a different one of the last two key frames away.
  if (sequence?.length === 0) return null
  return { ...also, ...Object.fromEntries(NAMED.map((part) => [part, name[part]])), value: { ...place, ...taken('said:'), ...(sequence ? { sequence } : {}), ...labels } } as unknown as Region
}

/** A track's key frames in their order, on the list that drafts had before each was a field. */
function sequenceOf(said: unknown, own: Fields): Fields[] {
  const keys = [...(Array.isArray(said) ? (said as unknown[]) : []), ...Object.values(own)].filter((key): key is Fields => isObject(key) && ['frame', 'x', 'y', 'width', 'height'].every((part) => Number.isFinite(key[part])))
  return [...new Map(keys.map((key) => [Number(key.frame), key])).entries()].sort(([a], [b]) => a - b).map(([, key]) => key)
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whole numbers may arrive as bigint; here they are numbers like any other. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(plain)
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
  return value
}

/** Do two results say the same, in whatever order? */
export function saysTheSame(a: Result, b: Result): boolean {
  const said = (result: Result) => new Map<string, unknown>(result.map((entry) => (isRelation(entry) ? [`${entry.from_id} ${entry.to_id}`, entry.direction] : [`${entry.id}/${entry.from_name}`, entry.value])))
  const [first, second] = [said(a), said(b)]
  return first.size === second.size && [...first].every(([key, value]) => second.has(key) && equalValue(value, second.get(key)))
}
