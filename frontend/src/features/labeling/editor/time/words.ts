/** Where a region lies in time, in words. */
import { clock } from '@/lib/format'

import type { Drawn } from '../result'
import { lastFrame, sequenceOf } from '../video/track'

/** Null for what has no time. */
export function inTime(region: Drawn): string | null {
  if (region.kind === 'segment') {
    const said = region.attributes.find((entry) => entry.type === 'textarea')?.value.text
    const text = Array.isArray(said) ? said.join(' ') : ''
    return `${clock(Number(region.main.value.start), 1)}–${clock(Number(region.main.value.end), 1)}${text ? ` ${text}` : ''}`
  }
  if (region.kind !== 'track') return null
  const sequence = sequenceOf(region)
  return sequence.length > 0 ? `frames ${sequence[0]!.frame}–${lastFrame(sequence, Number(region.main.value.framesCount))}` : 'track'
}
