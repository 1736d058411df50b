/** How a file is read, in words and as choices. Pure. */
import type { Schemas } from '@/api/client'

export type Reading = Schemas['ReadingOut']
export type Options = Schemas['ReadingOptions']

const DELIMITERS: Record<string, string> = { ',': 'Comma  ,', ';': 'Semicolon  ;', '\t': 'Tab', '|': 'Bar  |', ' ': 'Space' }
const ENCODINGS: Record<NonNullable<Reading['encoding']>, string> = {
  'utf-8': 'UTF-8',
  'utf-8-sig': 'UTF-8 with mark',
  'utf-16': 'UTF-16',
  'utf-16-le': 'UTF-16 LE',
  'utf-16-be': 'UTF-16 BE',
  'utf-32': 'UTF-32',
  'latin-1': 'Latin-1',
  cp1252: 'Windows-1252',
}
const FORMATS: Record<Reading['format'], string> = { csv: 'Text with delimiters', jsonl: 'JSON Lines', excel: 'Excel workbook', parquet: 'Parquet' }
/** What stands for the empty string where it could not be seen. */
const EMPTY = '(empty)'

export const delimiterChoices = (now: string | null | undefined) => [...new Set([...Object.keys(DELIMITERS), ...(now ? [now] : [])])].map((value) => ({ value, label: DELIMITERS[value] ?? value }))
export const encodingChoices = Object.entries(ENCODINGS).map(([value, label]) => ({ value, label }))
export const decimalChoices = [
  { value: '.', label: 'Point  1.5' },
  { value: ',', label: 'Comma  1,5' },
]
export const dateChoices = [
  { value: 'day', label: 'Day first' },
  { value: 'month', label: 'Month first' },
]

/** A mark cannot stand for both the fraction and the thousands. */
export function thousandsChoices(decimal: string) {
  const all = [
    { value: '', label: 'Nothing  1234' },
    { value: '.', label: 'Point  1.234' },
    { value: ',', label: 'Comma  1,234' },
    { value: ' ', label: 'Space  1 234' },
    { value: "'", label: "Apostrophe  1'234" },
  ]
  return all.filter((c) => c.value !== decimal)
}

export const shownNulls = (values: string[]) => values.map((v) => v || EMPTY)
export const sentNulls = (shown: string[]) => [...new Set(shown.map((v) => (v === EMPTY ? '' : v)))]

/** One line that says how the file is read. */
export function summary(reading: Reading): string {
  const words = [FORMATS[reading.format]]
  const more = reading.members?.length ?? 0
  if (more > 1) words.push(`${more} files of an archive`)
  if (reading.delimiter) words.push(DELIMITERS[reading.delimiter]?.split('  ')[0]?.toLowerCase() ?? `“${reading.delimiter}”`)
  if (reading.sheet) words.push(`sheet “${reading.sheet}”`)
  if (reading.encoding) words.push(ENCODINGS[reading.encoding])
  if (reading.header !== null && reading.header !== undefined) words.push(reading.header ? 'names in the first row' : 'no row of names')
  if (reading.format === 'csv' || reading.format === 'excel') words.push(`numbers as 1${reading.thousands ?? ''}234${reading.decimal ?? '.'}56`)
  return words.join(' · ')
}

/** `options` with one of them changed; a thousands mark that the decimal mark now is goes back to being found out. */
export function changed(options: Options, part: Partial<Options>): Options {
  const next = { ...options, ...part }
  if (next.decimal && next.thousands === next.decimal) delete next.thousands
  return next
}
