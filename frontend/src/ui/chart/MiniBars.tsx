import { Box } from '@mantine/core'
import classes from './MiniBars.module.css'

/** A small histogram as plain SVG: there may be hundreds on a page, which plotly would not carry. */
export function MiniBars({ counts, height = 44, label, titles }: { counts: number[]; height?: number; label: string; titles?: string[] }) {
  const most = Math.max(1, ...counts)
  const width = 100 / Math.max(1, counts.length)
  return (
    <svg className={classes.bars} viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" height={height} role="img" aria-label={label}>
      {counts.map((n, i) => {
        // What is not nothing is never invisible.
        const h = n === 0 ? 0 : Math.max(1.5, (n / most) * (height - 2))
        return (
          <rect key={i} x={i * width + width * 0.06} width={width * 0.88} y={height - h} height={h}>
            {titles?.[i] && <title>{titles[i]}</title>}
          </rect>
        )
      })}
    </svg>
  )
}

/** Values with their share as bars: the commonest values of a column, the classes of a data set. */
export function ShareBars({ rows, total, onPick }: { rows: { label: string; n: number; text: string }[]; total: number; onPick?: (label: string) => void }) {
  return (
    <Box component="ul" className={classes.shares}>
      {rows.map((r) => (
        <li key={r.label}>
          <span className={classes.track}>
            <span className={classes.fill} style={{ width: `${total ? Math.max(0.6, (r.n / total) * 100) : 0}%` }} />
            {onPick ? (
              <button type="button" className={classes.name} onClick={() => onPick(r.label)}>
                {r.label || '(empty)'}
              </button>
            ) : (
              <span className={classes.name}>{r.label || '(empty)'}</span>
            )}
          </span>
          <span className={classes.text}>{r.text}</span>
        </li>
      ))}
    </Box>
  )
}
