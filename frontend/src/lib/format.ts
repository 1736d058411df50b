/** Numbers, bytes, durations and dates as people read them. Pure; no locale guessing beyond the browser's own. */

const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 48,842 */
export function count(value: number): string {
  return integer.format(value)
}

/** `3 rows`, `1 row` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** At most `digits` significant digits, no trailing zeros: 0.9731, 1,204, 3.2e-7. */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size < 1e-4 || size >= 1e9) return value.toExponential(Math.max(0, digits - 2)).replace(/\.?0+e/, 'e').replace('e+', 'e')
  if (Number.isInteger(value)) return count(value)
  return new Intl.NumberFormat('en', { maximumSignificantDigits: Math.max(digits, Math.floor(Math.log10(size)) + 1) }).format(value)
}

/** A metric: four decimals below 1, so that a column of them lines up (0.8780, 0.0081); else four significant digits. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isInteger(value)) return number(value)
  const size = Math.abs(value)
  return size < 1 && size >= 0.001 ? value.toFixed(4).replace('-', '−') : number(value)
}

/** 97.3 % */
export function percent(fraction: number | null | undefined, digits = 1): string {
  if (fraction === null || fraction === undefined || Number.isNaN(fraction)) return '–'
  const value = fraction * 100
  if (value > 0 && value < 10 ** -digits) return `<${10 ** -digits} %`
  return `${new Intl.NumberFormat('en', { maximumFractionDigits: digits }).format(value)} %`
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** 4.2 MB (decimal units, as file managers and disks show them) */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  let size = value
  let unit = 0
  while (Math.abs(size) >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${UNITS[unit]}`
}

/** 350 ms · 4.2 s · 3 min 20 s · 2 h 5 min · 3 d 4 h */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–'
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const s = Math.round(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`
  const minutes = Math.round(s / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`
  const hours = Math.round(s / 3600)
  return `${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ''}`
}

/** Seconds between two ISO times; the second defaults to now. */
/** Seconds as a player shows them: `0:07`, `12:30`, `1:02:03`; with `digits` the fraction too. */
export function clock(seconds: number, digits = 0): string {
  const whole = 10 ** digits
  const all = digits > 0 ? Math.round(seconds * whole) / whole : Math.round(seconds)
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60]
  const rest = (all % 60).toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

export function elapsed(start: string | null | undefined, end?: string | null, now: number = Date.now()): number | null {
  if (!start) return null
  return Math.max(0, ((end ? Date.parse(end) : now) - Date.parse(start)) / 1000)
}

/** `just now`, `5 min ago`, `yesterday`, `12 Mar 2026`; in the future `in 3 days`. */
export function ago(iso: string | null | undefined, now: number = Date.now()): string {
  if (!iso) return '–'
  const seconds = (now - Date.parse(iso)) / 1000
  const size = Math.abs(seconds)
  const say = (value: number, unit: string) => (seconds >= 0 ? `${value} ${unit} ago` : `in ${value} ${unit}`)
  if (size < 45) return seconds >= 0 ? 'just now' : 'in a moment'
  if (size < 3570) return say(Math.round(size / 60), 'min')
  if (size < 84_600) return say(Math.round(size / 3600), 'h')
  const days = Math.round(size / 86_400)
  if (days === 1) return seconds >= 0 ? 'yesterday' : 'tomorrow'
  if (days < 28) return say(days, 'days')
  return date(iso)
}

/** 12 Mar 2026 */
export function date(iso: string | null | undefined): string {
  return iso ? new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' }).format(new Date(iso)) : '–'
}

/** 12 Mar 2026, 14:03 */
export function dateTime(iso: string | null | undefined): string {
  return iso ? new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' }).format(new Date(iso)) : '–'
}

/** 14:03:27 */
export function time(iso: string | null | undefined): string {
  return iso ? new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(new Date(iso)) : '–'
}

/** The first characters of a digest, enough to recognise it. */
export function shortDigest(digest: string | null | undefined): string {
  return digest ? digest.replace(/^sha256:/, '').slice(0, 10) : '–'
}

/** `read_table` → `Read table`; `dataset-version` → `Dataset version` */
export function humanise(name: string): string {
  const text = name.replace(/[_-]+/g, ' ').trim()
  return text.charAt(0).toUpperCase() + text.slice(1)
}
