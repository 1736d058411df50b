/** How values stand in cells. Pure. */
import type { ColumnType } from '../look'

export function cellText(value: unknown, type: ColumnType, whole = false): string {
  if (value === null || value === undefined) return ''
  if (type === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return type === 'number' && !whole && !Number.isInteger(value) ? String(Number(value.toPrecision(7))) : String(value)
  if (type === 'datetime' && typeof value === 'string') return value.replace('T', ' ').replace(/(\.\d+)?(\+00:00|Z)$/, '').replace(/ 00:00:00$/, '')
  if (typeof value === 'object') return JSON.stringify(value, null, whole ? 2 : undefined)
  return String(value)
}

/** Wide enough for the name and what such a column usually holds. */
export function columnWidth(name: string, type: ColumnType): number {
  const usual: Record<ColumnType, number> = { integer: 104, number: 118, boolean: 90, category: 130, text: 220, datetime: 176, image: 120, json: 220 }
  return Math.min(320, Math.max(usual[type], name.length * 7.6 + 64))
}
