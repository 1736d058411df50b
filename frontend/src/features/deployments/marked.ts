/** A text cut where predicted spans begin and end. Pure. */
import type { Schemas } from '@/api/client'

export type PredictedSpan = Schemas['PredictedSpan']
export type Piece = { text: string; covers: readonly PredictedSpan[]; begins: readonly PredictedSpan[] }

/** The pieces are the whole text. Models count characters, a browser's texts count UTF-16 units. `spans` are in the order of the text. */
export function pieces(text: string, spans: readonly PredictedSpan[]): Piece[] {
  const letters = Array.from(text)
  const cuts = [...new Set([0, letters.length, ...spans.flatMap((span) => [span.start, span.end])])].filter((at) => at <= letters.length).sort((a, b) => a - b)
  let open: PredictedSpan[] = []
  let next = 0
  return cuts.slice(0, -1).map((start, index) => {
    const begins: PredictedSpan[] = []
    while (next < spans.length && spans[next]!.start <= start) begins.push(spans[next++]!)
    open = [...open.filter((span) => span.end > start), ...begins]
    return { text: letters.slice(start, cuts[index + 1]).join(''), covers: open, begins }
  })
}
