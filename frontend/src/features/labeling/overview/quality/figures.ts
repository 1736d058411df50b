/** What the quality page draws, from what was measured. Pure. */
import type { Schemas } from '@/api/client'
import type { Figure } from '@/ui/chart'

export type Quality = Schemas['QualityOut']
export type Person = Schemas['QualityPeopleOut']

export const NOTHING = 'nothing'
export const share = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : `${Math.round(100 * value)} %`)
export const beyond = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : value.toFixed(2))
export const called = (label: string): string => label || NOTHING

/** How people are called, by id. */
export function namesOf(found: Quality): Map<string, string> {
  return new Map(found.users.map((user) => [user.id, user.name || user.email]))
}

/** The questions that are answered with labels, in the schema's order. */
export const labelledControls = (found: Quality): string[] => found.controls.map((one) => one.control).filter((name) => found.labels.some((one) => one.control === name))

export type Confusion = { labels: string[]; counts: number[][] }

/** Rows: what one said; columns: what the other said of the same. Of one person, or of everybody. */
export function confusionOf(found: Quality, control: string, person: string | null): Confusion {
  const cells = found.confusions.filter((cell) => cell.control === control && (!person || cell.person === person))
  const labels = [...new Set([...found.labels.filter((one) => one.control === control).map((one) => one.label), ...cells.flatMap((cell) => [cell.said, cell.other])])]
  labels.sort((a, b) => Number(a === '') - Number(b === '') || a.localeCompare(b))
  const place = new Map(labels.map((label, n) => [label, n]))
  const counts = labels.map(() => labels.map(() => 0))
  for (const { said, other, count } of cells) {
    const row = counts[place.get(said) ?? -1]
    const column = place.get(other) ?? -1
    if (row?.[column] !== undefined) row[column] += count
  }
  return { labels, counts }
}

/** Each row by its own total: a rare label is as visible as a common one. */
export function confusionFigure({ labels, counts }: Confusion, mine: string): Figure {
  const shares = counts.map((row) => {
    const total = row.reduce((sum, n) => sum + n, 0)
    return row.map((n) => (total ? n / total : 0))
  })
  const names = labels.map(called)
  return {
    data: [{ type: 'heatmap', x: names, y: names, z: shares, text: counts.map((row) => row.map((n) => (n ? String(n) : ''))), texttemplate: '%{text}', zmin: 0, zmax: 1, xgap: 2, ygap: 2, showscale: false, hovertemplate: `${mine}: %{y}<br>Other: %{x}<br>%{text} times, %{z:.0%} of the row<extra></extra>` }],
    layout: { xaxis: { title: 'the other said', type: 'category', showgrid: false }, yaxis: { title: `${mine} said`, type: 'category', autorange: 'reversed', showgrid: false } },
  }
}

/** Agreement of each two people; a person with themselves is left empty. */
export function pairsFigure(found: Quality, names: Map<string, string>): { people: string[]; figure: Figure } {
  const people = [...new Set(found.pairs.flatMap((pair) => [pair.one, pair.other]))].sort((a, b) => (names.get(a) ?? a).localeCompare(names.get(b) ?? b))
  const z: (number | null)[][] = people.map(() => people.map(() => null))
  for (const { one, other, agreement } of found.pairs) {
    const [a, b] = [people.indexOf(one), people.indexOf(other)]
    ;(z[a] ?? [])[b] = agreement
    ;(z[b] ?? [])[a] = agreement
  }
  const labels = people.map((id) => names.get(id) ?? 'somebody')
  const places = people.map((_, n) => n)
  const axis = { tickmode: 'array', tickvals: places, ticktext: labels, showgrid: false }
  return {
    people,
    figure: {
      data: [{ type: 'heatmap', x: places, y: places, z, text: z.map((row) => row.map((value) => (value === null ? '' : share(value)))), texttemplate: '%{text}', zmin: 0, zmax: 1, xgap: 2, ygap: 2, showscale: false, hoverongaps: false, hovertemplate: '%{z:.0%}<extra></extra>' }],
      layout: { xaxis: { ...axis, tickangle: -30 }, yaxis: { ...axis, autorange: 'reversed' } },
    },
  }
}

export function labelsFigure(found: Quality, control: string): Figure {
  const rows = found.labels.filter((one) => one.control === control).sort((a, b) => b.agreement - a.agreement)
  return {
    data: [{ type: 'bar', orientation: 'h', x: rows.map((row) => row.agreement), y: rows.map((row) => row.label), text: rows.map((row) => share(row.agreement)), textposition: 'auto', customdata: rows.map((row) => row.said), hovertemplate: '%{y}: %{x:.0%} of %{customdata}<extra></extra>' }],
    layout: { xaxis: { range: [0, 1], tickformat: '.0%' }, yaxis: { type: 'category', autorange: 'reversed', showgrid: false }, bargap: 0.35 },
  }
}

export function timelineFigure(found: Quality, names: Map<string, string>): Figure {
  const people = [...new Set(found.timeline.map((week) => week.person))]
  return {
    data: people.map((person) => {
      const weeks = found.timeline.filter((week) => week.person === person && week.right !== null)
      return { type: 'scatter', mode: 'lines+markers', name: names.get(person) ?? 'somebody', x: weeks.map((week) => week.week), y: weeks.map((week) => week.right), customdata: weeks.map((week) => week.judged), hovertemplate: 'week of %{x|%d %b}: %{y:.0%} of %{customdata}' }
    }),
    layout: { xaxis: { type: 'date', tickformat: '%d %b', tickmode: 'array', tickvals: [...new Set(found.timeline.map((week) => week.week))].slice(-12) }, yaxis: { range: [0, 1.05], tickformat: '.0%' } },
  }
}

export type Column = 'name' | 'annotations' | 'seconds' | 'per_day' | 'agreement' | 'right' | 'back' | 'honeypot_score'

export const backOf = (person: Person): number | null => (person.reviewed ? person.sent_back / person.reviewed : null)

/** Rows in the order of a column; who has no figure comes last, whichever way. */
export function sorted(people: Person[], by: Column, down: boolean, names: Map<string, string>): Person[] {
  const key = (person: Person): number | string | null => (by === 'name' ? (names.get(person.person) ?? '').toLowerCase() : by === 'back' ? backOf(person) : person[by])
  return [...people].sort((one, other) => {
    const [a, b] = [key(one), key(other)]
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1)
  })
}
