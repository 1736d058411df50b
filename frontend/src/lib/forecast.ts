/** What is told of a forecast: the likely number and the range, and what it rests on. Nothing is told where no past run tells. */
import { bytes, count, duration, plural } from './format'

export type Span = { low: number; likely: number; high: number }
export type Step = { skipped: string; runs: number; least: number | null; most: number | null; settings: string }
export type Forecast = { known: number; total: number; time?: Span | null; memory?: Span | null }

/** “about 12 s (8 s to 20 s)”; one number where the range is none. */
export function spanWords(span: Span | null | undefined, words: (value: number) => string): string {
  if (!span) return ''
  const [low, likely, high] = [words(span.low), words(span.likely), words(span.high)]
  return low === high ? `about ${likely}` : `about ${likely} (${low} to ${high})`
}

export const timeWords = (span: Span | null | undefined): string => spanWords(span, duration)
export const memoryWords = (span: Span | null | undefined): string => spanWords(span, bytes)

/** What a step's forecast rests on. */
export function basis(step: Step): string {
  if (step.skipped) return step.skipped === 'pinned' ? 'Pinned: does not run' : `Does not run: ${step.skipped}`
  if (step.runs === 0) return 'No past runs'
  const rows = step.least === null || step.most === null ? '' : step.least === step.most ? ` with ${plural(step.most, 'row')}` : ` with ${count(step.least)} to ${count(step.most)} rows`
  return `From ${plural(step.runs, 'past run')}${rows}${step.settings === 'other' ? ', with other settings' : ''}`
}

/** The whole in one sentence; empty where nothing is known. */
export function totalWords(forecast: Forecast | undefined): string {
  if (!forecast?.time) return ''
  const part = forecast.known < forecast.total ? ` for the ${forecast.known} of ${forecast.total} steps that past runs tell of` : ''
  const memory = forecast.memory ? `, and at most ${memoryWords(forecast.memory)} of memory` : ''
  return `Expected${part}: ${timeWords(forecast.time)} of work${memory}.`
}
