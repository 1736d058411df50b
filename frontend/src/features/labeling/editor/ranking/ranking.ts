/** A list and its order, without a browser: what the data hold, how a result orders it, and what moving an entry makes of that. */
import type { LabelControl } from '../config'

export interface Entry {
  readonly id: string
  readonly title: string
  readonly body: string
}

/** Ids by column, the columns in their order. */
export type Lists = Readonly<Record<string, readonly string[]>>

export interface Column {
  readonly name: string
  readonly title: string
}

/** What Label Studio calls the entries that were put into no bucket. */
export const REST = '_'
const MOST = 200

const words = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean))

/** As `workers/sdk/labels/shown.py` reads a list: objects with id, title and body, or texts that are called by their places. */
export function entriesOf(value: unknown): Entry[] {
  const found = parsed(value)
  if (!Array.isArray(found)) return []
  const entries = new Map<string, Entry>()
  for (const [place, one] of found.slice(0, MOST).entries()) {
    if (one === null || one === undefined) continue
    if (typeof one !== 'object') {
      entries.set(String(place), { id: String(place), title: '', body: words(one) })
      continue
    }
    const fields = one as Record<string, unknown>
    const id = typeof fields.id === 'string' || typeof fields.id === 'number' ? String(fields.id) : String(place)
    const rest = Object.entries(fields).filter(([name]) => name !== 'id' && name !== 'title')
    const body = 'body' in fields ? words(fields.body) : rest.map(([name, said]) => `${name}: ${words(said)}`).join('\n')
    if (!entries.has(id)) entries.set(id, { id, title: words(fields.title), body })
  }
  return [...entries.values()]
}

/** JSON text as what it says; null for other text. */
export function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return /^\s*[[{]/.test(value) ? (JSON.parse(value) as unknown) : null
  } catch {
    return null
  }
}

export function columnsOf(control: LabelControl, title: string): Column[] {
  if (control.buckets.length === 0) return [{ name: control.name, title }]
  const buckets = control.buckets.map(({ name, title: said }) => ({ name, title: said || name }))
  return control.buckets.some((bucket) => bucket.default) ? buckets : [{ name: REST, title: title || 'Not sorted' }, ...buckets]
}

/** The order that is shown: what was said, with what it leaves out where entries lie at first. */
export function listsOf(control: LabelControl, entries: readonly Entry[], said: unknown): Lists {
  const columns = columnsOf(control, '').map((column) => column.name)
  const first = control.buckets.find((bucket) => bucket.default)?.name ?? columns[0]!
  const known = new Set(entries.map((entry) => entry.id))
  const given = typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {}
  const lists: Record<string, string[]> = Object.fromEntries(columns.map((name) => [name, []]))
  for (const name of columns) {
    const ids = given[name]
    if (!Array.isArray(ids)) continue
    for (const id of ids) if (typeof id === 'string' && known.delete(id)) lists[name]!.push(id)
  }
  lists[first]!.push(...entries.map((entry) => entry.id).filter((id) => known.has(id)))
  return lists
}

export function placeOf(lists: Lists, id: string): { column: string; index: number } | null {
  for (const [column, ids] of Object.entries(lists)) {
    const index = ids.indexOf(id)
    if (index >= 0) return { column, index }
  }
  return null
}

/** An entry put before what is at `index` of a column now. The same lists where that changes nothing. */
export function put(lists: Lists, id: string, column: string, index: number): Lists {
  const from = placeOf(lists, id)
  const target = lists[column]
  if (!from || !target) return lists
  const at = Math.max(0, Math.min(from.column === column && from.index < index ? index - 1 : index, target.length - (from.column === column ? 1 : 0)))
  if (from.column === column && from.index === at) return lists
  const without = Object.fromEntries(Object.entries(lists).map(([name, ids]) => [name, ids.filter((other) => other !== id)]))
  const into = without[column]!
  return { ...without, [column]: [...into.slice(0, at), id, ...into.slice(at)] }
}

/** By one place up or down in its column, or into the column before or after, at the same height. */
export function moved(lists: Lists, id: string, way: 'up' | 'down' | 'left' | 'right' | 'top' | 'end'): Lists {
  const from = placeOf(lists, id)
  if (!from) return lists
  const { column, index } = from
  if (way === 'up') return put(lists, id, column, index - 1)
  if (way === 'down') return put(lists, id, column, index + 2)
  if (way === 'top') return put(lists, id, column, 0)
  if (way === 'end') return put(lists, id, column, lists[column]!.length)
  const names = Object.keys(lists)
  const other = names[names.indexOf(column) + (way === 'right' ? 1 : -1)]
  return other === undefined ? lists : put(lists, id, other, Math.min(index, lists[other]!.length))
}
