import { memo } from 'react'

import { kindColor } from './look'

const SHAPES: Record<string, string> = {
  circle: 'M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12z',
  square: 'M3 3h10v10H3z',
  diamond: 'M8 1.2L14.8 8L8 14.8L1.2 8z',
  triangle: 'M8 1.8L14.8 13.6H1.2z',
  hexagon: 'M4.6 2h6.8L15 8l-3.6 6H4.6L1 8z',
}

/** The mark of a kind: colour and shape together, so that neither is the only cue. Hollow while nothing is wired. */
export const KindMark = memo(function KindMark({ color, shape, hollow = false, size = 14 }: { color: string; shape: string; hollow?: boolean; size?: number }) {
  const css = kindColor(color)
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden focusable="false" style={{ display: 'block', flex: 'none' }}>
      <path d={SHAPES[shape] ?? SHAPES.circle} fill={hollow ? 'var(--hr-surface)' : css} stroke={css} strokeWidth={2.2} strokeLinejoin="round" />
    </svg>
  )
})
