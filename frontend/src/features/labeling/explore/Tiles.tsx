/** Items as small pictures or words, of which several can be chosen: by pointer, or by arrow keys and space. */
import { Badge, Box, Group, Text } from '@mantine/core'
import { IconCircleCheckFilled } from '@tabler/icons-react'
import { useId, useRef, useState, type KeyboardEvent } from 'react'
import { useProjectSlug } from '@/api/me'
import { pictureOf, type SpaceItem } from './data'
import classes from './explore.module.css'

export type TilesProps = {
  label: string
  dataset: string
  space: string
  pictures: boolean
  items: SpaceItem[]
  chosen: ReadonlySet<number>
  onChoose: (chosen: Set<number>) => void
  /** What the key Enter and a double click do. */
  onOpen?: (item: SpaceItem) => void
}

/** What tells an item from others: its words, or its name. */
export const wordsOf = (item: SpaceItem) => {
  const words = Object.entries(item.shown).map(([name, value]) => (name === 'text' || Object.keys(item.shown).length === 1 ? String(value) : `${name}: ${String(value)}`))
  return words.length > 0 ? words.join(' · ') : item.key
}

export function Tiles({ label, dataset, space, pictures, items, chosen, onChoose, onOpen }: TilesProps) {
  const project = useProjectSlug()
  const [at, setActive] = useState(0)
  const base = useId()
  const grid = useRef<HTMLDivElement>(null)
  const active = Math.min(at, Math.max(0, items.length - 1))
  const toggle = (item: SpaceItem) => {
    const next = new Set(chosen)
    if (!next.delete(item.id)) next.add(item.id)
    onChoose(next)
  }
  const move = (to: number) => {
    const next = Math.max(0, Math.min(items.length - 1, to))
    setActive(next)
    document.getElementById(`${base}-${next}`)?.scrollIntoView({ block: 'nearest' })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const across = grid.current ? getComputedStyle(grid.current).gridTemplateColumns.split(' ').length : 1
    const step: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across, Home: -items.length, End: items.length }
    const item = items[active]
    if (event.key in step) move(active + step[event.key]!)
    else if (event.key === ' ' && item) toggle(item)
    else if (event.key === 'Enter' && item && onOpen) onOpen(item)
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) onChoose(new Set(items.map((one) => one.id)))
    else return
    event.preventDefault()
  }
  return (
    <div ref={grid} className={classes.grid} data-words={!pictures || undefined} role="listbox" aria-multiselectable aria-label={label} tabIndex={0} aria-activedescendant={items.length > 0 ? `${base}-${active}` : undefined} onKeyDown={onKeyDown}>
      {items.map((item, n) => (
        // Keys are handled by the list, which holds the focus.
        // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- see onKeyDown of the list
        <div
          key={`${item.id}-${item.item ?? n}`}
          id={`${base}-${n}`}
          role="option"
          tabIndex={-1}
          aria-selected={chosen.has(item.id)}
          aria-label={`${pictures ? item.key : wordsOf(item)}${item.label ? `, labelled ${item.label}` : item.labelled ? ', labelled' : ''}`}
          className={classes.tile}
          data-active={n === active || undefined}
          onClick={() => {
            setActive(n)
            toggle(item)
          }}
          onDoubleClick={() => onOpen?.(item)}
        >
          <div className={classes.picture}>{pictures ? <img src={pictureOf(project, dataset, space, item.digest)} alt="" loading="lazy" decoding="async" data-tiny /> : <Box className={classes.words}>{wordsOf(item).slice(0, 180)}</Box>}</div>
          {chosen.has(item.id) && <IconCircleCheckFilled size={20} className={classes.check} aria-hidden />}
          <Group gap={4} wrap="nowrap" justify="space-between" mt={2}>
            {item.labelled ? (
              <Badge size="sm" color={item.mine ? 'blue' : 'gray'} maw="70%">
                {item.label ?? 'labelled'}
              </Badge>
            ) : (
              <Text size="xs" c="dimmed" truncate>
                {pictures ? item.key.split('/').pop() : '–'}
              </Text>
            )}
            {item.distance !== null && (
              <Text size="xs" c="dimmed" className="tabular" title="Distance: 0 is the same, 1 has nothing in common">
                {item.distance.toFixed(2)}
              </Text>
            )}
          </Group>
        </div>
      ))}
    </div>
  )
}
