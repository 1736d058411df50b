/** What a table shows of an item's data: the fields of one thing, or the rows of several. */
import { parsed } from '../ranking/ranking'

/** The variable that shows the whole row of a data set which has no column of this name. */
export const ROW = 'row'
const MOST = 500

type Fields = Readonly<Record<string, unknown>>

export type Shown = { readonly fields: Fields } | { readonly columns: readonly string[]; readonly rows: readonly Fields[] } | null

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** As `workers/sdk/labels/shown.py` reads it; null for what is no table. */
export function tableOf(data: Fields, variable: string): Shown {
  const found = variable === ROW && !(ROW in data) ? data : parsed(data[variable])
  if (isObject(found)) return { fields: found }
  const rows = Array.isArray(found) ? found.filter(isObject).slice(0, MOST) : []
  return rows.length > 0 ? { columns: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows } : null
}

/** A value in words: nested ones as JSON, on lines of their own. */
export function wordsOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return ''
  const inner = parsed(value)
  if (typeof inner === 'object' && inner !== null) return JSON.stringify(inner, null, 2)
  return typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 20 }) : String(value as string | boolean)
}
