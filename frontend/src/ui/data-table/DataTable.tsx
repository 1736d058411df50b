/**
 * One table for every list: only the rows (and, in wide tables, columns) on screen exist, so a million rows scroll as
 * smoothly as ten. Rows come from memory (`rows`) or window by window from the server (`total`, `rowAt`, `onWindow`).
 *
 * Keyboard: the rows are one tab stop; arrows, Page Up/Down, Home and End move, Enter opens, Space selects.
 */
import { Box, Checkbox, Skeleton, Text, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react'
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import classes from './DataTable.module.css'
import { columnWidths, scrollHeight, scrollTo, visibleColumns, visibleRows, type Viewport } from './window'

export type TableColumn<Row> = {
  key: string
  title: string
  /** What stands in the head instead of the plain title (the title is still its accessible name). */
  head?: ReactNode
  /** At least this wide; with `grow` it takes a share of the room that is left. */
  width?: number
  grow?: number
  align?: 'left' | 'right' | 'center'
  sortable?: boolean
  /** Left out while the table is narrower than this many pixels. */
  hideBelow?: number
  render: (row: Row, index: number) => ReactNode
}

/** `{ key: 'age', descending: true }`; the API's `-age`. */
export type Sort = { key: string; descending: boolean }

export function sortParam(sort: Sort | null): string | undefined {
  return sort ? `${sort.descending ? '-' : ''}${sort.key}` : undefined
}

export type DataTableProps<Row> = {
  label: string
  columns: TableColumn<Row>[]
  rows?: Row[]
  total?: number
  rowAt?: (index: number) => Row | undefined
  onWindow?: (first: number, last: number) => void
  rowKey?: (row: Row, index: number) => string
  rowHeight?: number
  /** Of the head; taller where a column's head holds more than its title. */
  headHeight?: number
  /** Height of the whole table; by default as tall as its rows, up to `maxHeight`. */
  height?: number | string
  maxHeight?: number | string
  sort?: Sort | null
  onSort?: (sort: Sort | null) => void
  onOpen?: (row: Row, index: number) => void
  selected?: ReadonlySet<string>
  onSelect?: (selected: Set<string>) => void
  loading?: boolean
  empty?: ReactNode
  /** Row numbers as a first column (for data). */
  numbered?: boolean
}

const SELECT = 44
const NUMBER = 72
/** Room for the horizontal scrollbar, where there is one. */
const SCROLLBAR = 16

export function DataTable<Row>({
  label,
  columns: given,
  rows,
  total: givenTotal,
  rowAt,
  onWindow,
  rowKey,
  rowHeight = 44,
  headHeight = Math.min(rowHeight, 40),
  height,
  maxHeight = 'calc(100dvh - 260px)',
  sort = null,
  onSort,
  onOpen,
  selected,
  onSelect,
  loading = false,
  empty,
  numbered = false,
}: DataTableProps<Row>) {
  const scroller = useRef<HTMLDivElement>(null)
  const [view, setView] = useState<Viewport & { width: number; scrollLeft: number }>({ scrollTop: 0, scrollLeft: 0, height: 600, width: 1000 })
  const [active, setActive] = useState(0)
  const [focused, setFocused] = useState(false)
  const id = useId()
  const total = rows ? rows.length : (givenTotal ?? 0)
  const at = useCallback((i: number) => (rows ? rows[i] : rowAt?.(i)), [rows, rowAt])
  const keyOf = useCallback((row: Row, i: number) => rowKey?.(row, i) ?? String(i), [rowKey])

  useLayoutEffect(() => {
    const el = scroller.current
    if (!el) return
    const measure = () => setView({ scrollTop: el.scrollTop, scrollLeft: el.scrollLeft, height: el.clientHeight, width: el.clientWidth })
    measure()
    let frame = 0
    const later = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(measure)
    }
    el.addEventListener('scroll', later, { passive: true })
    const observer = new ResizeObserver(later)
    observer.observe(el)
    return () => {
      cancelAnimationFrame(frame)
      el.removeEventListener('scroll', later)
      observer.disconnect()
    }
  }, [])

  const columns = given.filter((c) => !c.hideBelow || view.width >= c.hideBelow)
  const lead = (selected ? SELECT : 0) + (numbered ? NUMBER : 0)
  const widths = columnWidths(columns, view.width - lead)
  const full = Math.max(view.width, lead + widths.reduce((a, b) => a + b, 0))
  const across = visibleColumns(widths, Math.max(0, view.scrollLeft - lead), view.width)
  const shown = visibleRows({ scrollTop: view.scrollTop, height: Math.max(view.height - headHeight, rowHeight) }, total, rowHeight)

  useEffect(() => {
    if (onWindow && total > 0) onWindow(shown.first, shown.last)
  }, [onWindow, shown.first, shown.last, total])

  const move = (to: number) => {
    const row = Math.max(0, Math.min(total - 1, to))
    setActive(row)
    const top = scrollTo(row, { scrollTop: view.scrollTop, height: view.height - headHeight }, total, rowHeight)
    if (top !== null) scroller.current?.scrollTo({ top })
  }
  const toggle = (index: number) => {
    const row = at(index)
    if (!row || !selected || !onSelect) return
    const next = new Set(selected)
    const key = keyOf(row, index)
    if (!next.delete(key)) next.add(key)
    onSelect(next)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 2)
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      PageDown: () => move(active + page),
      PageUp: () => move(active - page),
      Home: () => move(0),
      End: () => move(total - 1),
      ArrowLeft: () => scroller.current?.scrollBy({ left: -120 }),
      ArrowRight: () => scroller.current?.scrollBy({ left: 120 }),
      Enter: () => {
        const row = at(active)
        if (row) onOpen?.(row, active)
      },
      ' ': () => toggle(active),
    }
    const step = steps[event.key]
    if (!step || event.altKey || event.metaKey || event.ctrlKey) return
    event.preventDefault()
    step()
  }
  const allChosen = selected !== undefined && rows !== undefined && rows.length > 0 && rows.every((r, i) => selected.has(keyOf(r, i)))
  const bodyHeight = loading && total === 0 ? 6 * rowHeight : scrollHeight(total, rowHeight)
  const cycle = (key: string): Sort | null => (sort?.key !== key ? { key, descending: false } : sort.descending ? null : { key, descending: true })

  return (
    <Box className={classes.frame}>
      <div
        ref={scroller}
        className={classes.scroller}
        style={{ height: height ?? `min(${headHeight + bodyHeight + (full > view.width ? SCROLLBAR : 1)}px, ${typeof maxHeight === 'number' ? `${maxHeight}px` : maxHeight})`, minHeight: total === 0 ? undefined : headHeight + rowHeight }}
        role="grid"
        aria-label={label}
        aria-rowcount={total + 1}
        aria-colcount={given.length}
        aria-multiselectable={selected ? true : undefined}
        aria-busy={loading || undefined}
        aria-activedescendant={focused && total > 0 ? `${id}-${active}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={(event) => setFocused(event.target === event.currentTarget)}
        onBlur={() => setFocused(false)}
      >
        <div role="rowgroup" className={classes.head} style={{ width: full }}>
          <div role="row" aria-rowindex={1} className={classes.headRow} style={{ height: headHeight }}>
            {selected && (
              <div role="columnheader" className={classes.lead} style={{ width: SELECT }}>
                {rows && (
                  <Checkbox
                    size="xs"
                    aria-label={allChosen ? 'Select none' : 'Select all'}
                    checked={allChosen}
                    indeterminate={!allChosen && selected.size > 0}
                    onChange={() => onSelect?.(allChosen ? new Set() : new Set(rows.map(keyOf)))}
                  />
                )}
              </div>
            )}
            {numbered && (
              <div role="columnheader" className={classes.number} style={{ width: NUMBER }}>
                <span className="visually-hidden">Row</span>
              </div>
            )}
            <div role="presentation" style={{ width: across.offset, flex: 'none' }} />
            {columns.slice(across.first, across.last).map((column, i) => {
              const sorted = sort?.key === column.key ? (sort.descending ? 'descending' : 'ascending') : undefined
              const text = column.head ?? <span className={classes.title}>{column.title}</span>
              return (
                <div
                  key={column.key}
                  role="columnheader"
                  aria-sort={sorted ?? (column.sortable ? 'none' : undefined)}
                  className={classes.cell}
                  data-align={column.align}
                  style={{ width: widths[across.first + i] }}
                >
                  {column.sortable && onSort ? (
                    <UnstyledButton className={classes.sort} onClick={() => onSort(cycle(column.key))}>
                      {text}
                      {sorted === 'ascending' ? <IconArrowUp size={14} aria-hidden /> : sorted === 'descending' ? <IconArrowDown size={14} aria-hidden /> : <IconArrowsSort size={14} className={classes.idle} aria-hidden />}
                    </UnstyledButton>
                  ) : (
                    text
                  )}
                </div>
              )
            })}
          </div>
        </div>
        <div role="rowgroup" style={{ height: bodyHeight, width: full, position: 'relative' }}>
          {loading && total === 0
            ? Array.from({ length: 6 }, (_, i) => (
                <div key={i} role="presentation" className={classes.row} style={{ top: i * rowHeight, height: rowHeight, width: full }}>
                  <Skeleton h={12} mx="md" w={`${80 - ((i * 17) % 40)}%`} my="auto" />
                </div>
              ))
            : Array.from({ length: Math.max(0, shown.last - shown.first) }, (_, i) => {
                const index = shown.first + i
                const row = at(index)
                const key = row === undefined ? `empty-${index}` : keyOf(row, index)
                const chosen = row !== undefined && selected?.has(key)
                return (
                  // Keys are handled by the grid, which holds the focus.
                  // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- see onKeyDown of the grid
                  <div
                    key={key}
                    id={`${id}-${index}`}
                    role="row"
                    tabIndex={-1}
                    aria-rowindex={index + 2}
                    aria-selected={selected ? Boolean(chosen) : undefined}
                    className={classes.row}
                    data-active={(focused && index === active) || undefined}
                    data-chosen={chosen || undefined}
                    data-clickable={onOpen ? true : undefined}
                    style={{ top: shown.offset + i * rowHeight, height: rowHeight, width: full }}
                    onClick={(event) => {
                      setActive(index)
                      // Links, buttons and boxes inside a row do their own thing; a selection of text is not a click.
                      if ((event.target as HTMLElement).closest('a,button,input,label,[role="menu"]') || window.getSelection()?.toString()) return
                      if (row !== undefined) onOpen?.(row, index)
                    }}
                  >
                    {selected && (
                      <div role="gridcell" className={classes.lead} style={{ width: SELECT }}>
                        {row !== undefined && <Checkbox size="xs" tabIndex={-1} aria-label="Select" checked={Boolean(chosen)} onChange={() => toggle(index)} />}
                      </div>
                    )}
                    {numbered && (
                      <div role="rowheader" className={classes.number} style={{ width: NUMBER }}>
                        {index + 1}
                      </div>
                    )}
                    <div role="presentation" style={{ width: across.offset, flex: 'none' }} />
                    {columns.slice(across.first, across.last).map((column, j) => (
                      <div key={column.key} role="gridcell" className={classes.cell} data-align={column.align} style={{ width: widths[across.first + j] }}>
                        {row === undefined ? <Skeleton h={10} w="60%" /> : column.render(row, index)}
                      </div>
                    ))}
                  </div>
                )
              })}
        </div>
      </div>
      {!loading && total === 0 && <Box p="md">{empty ?? <Text c="dimmed" size="sm" ta="center">Nothing here.</Text>}</Box>}
    </Box>
  )
}
