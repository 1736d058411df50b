/** One entry of a list: its place, its words, and what moves it. */
import { ActionIcon, Button } from '@mantine/core'
import { IconArrowDown, IconArrowLeft, IconArrowRight, IconArrowUp, IconGripVertical } from '@tabler/icons-react'
import { useState, type KeyboardEvent, type PointerEvent } from 'react'

import type { Entry } from './ranking'
import classes from './RankingView.module.css'

type Way = 'up' | 'down' | 'left' | 'right'

const ICONS = { up: IconArrowUp, down: IconArrowDown, left: IconArrowLeft, right: IconArrowRight }
const WORDS: Record<Way, string> = { up: 'up', down: 'down', left: 'to the bucket before', right: 'to the next bucket' }
/** Longer texts are folded: others must stay in view to be compared. */
const LONG = 900

interface CardProps {
  entry: Entry
  number: number
  of?: number
  where?: string
  dashed?: boolean
  held?: boolean
  /** What is dragged would land before this one. */
  mark?: boolean
  active?: boolean
  moves?: readonly Way[]
  onMove?: (way: Way) => void
  onFocus?: () => void
  onKeyDown?: (event: KeyboardEvent) => void
  grip?: { onPointerDown: (event: PointerEvent) => void }
}

export function Card({ entry, number, of, where = '', dashed, held, mark, active, moves = [], onMove, onFocus, onKeyDown, grip }: CardProps) {
  const [open, setOpen] = useState(false)
  const long = entry.body.length > LONG
  const name = entry.title || entry.body.slice(0, 60) || entry.id
  const ranked = of !== undefined
  return (
    <li className={classes.item} data-mark={mark || undefined}>
      {/* A card is a stop of the arrows, as in a list of options; what it holds can be pressed too, so it is no option. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- as above */}
      <div
        className={classes.card}
        data-entry={ranked ? entry.id : undefined}
        data-dashed={dashed || undefined}
        data-held={held || undefined}
        role="group"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
        tabIndex={ranked ? (active ? 0 : -1) : undefined}
        aria-roledescription={ranked ? 'entry of a ranking' : undefined}
        aria-label={ranked ? `${number} of ${of}${where ? ` in ${where}` : ''}: ${name}` : name}
        onFocus={onFocus}
        onKeyDown={onKeyDown}
      >
        <div className={classes.head}>
          {grip && (
            <span className={classes.grip} data-grip aria-hidden {...grip}>
              <IconGripVertical size={18} />
            </span>
          )}
          <span className={classes.number}>{number}</span>
          <span className={classes.name}>{entry.title}</span>
          {moves.map((way) => {
            const Icon = ICONS[way]
            return (
              <ActionIcon key={way} size="md" aria-label={`Move ${name} ${WORDS[way]}`} tabIndex={active ? 0 : -1} onClick={() => onMove?.(way)}>
                <Icon size={16} />
              </ActionIcon>
            )
          })}
        </div>
        {entry.body && (
          <div className={classes.body} data-folded={(long && !open) || undefined}>
            {entry.body}
          </div>
        )}
        {long && (
          <Button size="compact-xs" variant="subtle" m={6} w="fit-content" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? 'Fold' : 'Show all'}
          </Button>
        )}
      </div>
    </li>
  )
}
