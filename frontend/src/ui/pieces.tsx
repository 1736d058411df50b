/** Long lists, a piece at a time: a thousand rows with their buttons would take a page seconds to show. */
import { Button } from '@mantine/core'
import { useState } from 'react'
import { count } from '@/lib/format'

const PIECE = 200

export type Pieces<T> = { shown: readonly T[]; left: number; more: () => void }

/** The beginning of a list, at least up to `through` (an index), and further with each `more`. */
export function usePieces<T>(all: readonly T[], through = -1): Pieces<T> {
  const [asked, setAsked] = useState(PIECE)
  const end = Math.max(asked, Math.ceil((through + 1) / PIECE) * PIECE)
  return { shown: all.length > end ? all.slice(0, end) : all, left: Math.max(0, all.length - end), more: () => setAsked(end + PIECE) }
}

/** Below the piece: how many more there are. Nothing where all are shown. */
export function More({ left, more, what, as: Row = 'div' }: Pick<Pieces<unknown>, 'left' | 'more'> & { what: string; as?: 'div' | 'li' }) {
  if (left === 0) return null
  return (
    <Row>
      <Button variant="default" size="xs" my="sm" onClick={more}>
        Show {count(Math.min(PIECE, left))} more of {count(left)} {what}
      </Button>
    </Row>
  )
}
