/**
 * A list whose entries are put in order, or into buckets: by Alt with the arrows, by buttons, by dragging with mouse or finger.
 * What was not touched yet is no answer: Enter (or the button) says that the order is right.
 */
import { Button, Group, Text } from '@mantine/core'
import { IconCheck, IconSparkles } from '@tabler/icons-react'
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'

import type { LabelControl, LabelObject } from '../config'
import { useLatest, useStore, useStoreState } from '../hooks'
import { answerOf, withAnswer } from '../result'
import { Card } from './Card'
import { columnsOf, entriesOf, listsOf, moved, placeOf, put, type Entry, type Lists } from './ranking'
import classes from './RankingView.module.css'
import { useDrag } from './useDrag'

export function RankingView({ object }: { object: LabelObject }) {
  const editor = useStore()
  const value = editor.item.data[object.value]
  const entries = useMemo(() => entriesOf(value), [value])
  const control = editor.config.controls.find((one) => one.type === 'ranker' && one.to === object.name)
  if (entries.length === 0) {
    return (
      <Text c="dimmed" m="auto" p="md">
        “{object.value}” holds no list to show. A list of texts, or of objects with id, title and body, is shown as cards.
      </Text>
    )
  }
  if (control) return <Ranking object={object} control={control} entries={entries} />
  return (
    <div className={classes.frame}>
      <ol className={classes.list} aria-label={object.title || object.name}>
        {entries.map((entry, index) => (
          <Card key={entry.id} entry={entry} number={index + 1} />
        ))}
      </ol>
    </div>
  )
}

const WAYS: Record<string, Parameters<typeof moved>[2]> = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', Home: 'top', End: 'end' }

function Ranking({ object, control, entries }: { object: LabelObject; control: LabelControl; entries: readonly Entry[] }) {
  const editor = useStore()
  const frame = useRef<HTMLDivElement>(null)
  const entry = useStoreState((state) => answerOf(state.result, control.name))
  const suggested = useStoreState((state) => answerOf(state.suggestions, control.name))
  const readOnly = useStoreState((state) => state.readOnly)
  const focus = useStoreState((state) => (state.focus?.control === control.name ? state.focus : null))
  const accepted = useStoreState((state) => entry !== undefined && state.accepted.has(entry.id))
  const [active, setActive] = useState<string | null>(null)
  const refocus = useRef<string | null>(null)

  const columns = useMemo(() => columnsOf(control, object.title ?? ''), [control, object.title])
  const lists = useMemo(() => listsOf(control, entries, (entry ?? suggested)?.value.ranker), [control, entries, entry, suggested])
  const byId = useMemo(() => new Map(entries.map((one) => [one.id, one])), [entries])
  const many = columns.length > 1
  const dashed = entry ? entry.origin === 'prediction' && !accepted : suggested !== undefined
  const first = columns.map((column) => lists[column.name]?.[0]).find((id) => id !== undefined) ?? null
  const current = active !== null && byId.has(active) ? active : first

  const nameOf = (id: string): string => {
    const found = byId.get(id)
    return found?.title || found?.body.slice(0, 40) || id
  }
  const say = (next: Lists, label: string) => editor.apply(withAnswer(editor.state.result, control, { ranker: next }), label)
  const move = (id: string, next: Lists) => {
    if (readOnly || next === lists) return
    const place = placeOf(next, id)
    const title = columns.find((column) => column.name === place?.column)?.title
    refocus.current = id
    setActive(id)
    if (place) say(next, `${nameOf(id)} is now ${place.index + 1} of ${next[place.column]!.length}${many && title ? ` in ${title}` : ''}`)
  }
  const keep = useLatest(() => {
    if (readOnly || entry) return false
    if (suggested) editor.accept(new Set([suggested.id]))
    else say(lists, 'The order is right')
    return true
  })
  const { held, target, grip } = useDrag({ frame, onDrop: (id, column, index) => move(id, put(lists, id, column, index)) })

  const card = (id: string | null) => (id === null ? null : frame.current?.querySelector<HTMLElement>(`[data-entry="${CSS.escape(id)}"]`))
  // A card that was moved in the document has lost the focus.
  useLayoutEffect(() => {
    if (refocus.current === null) return
    const element = frame.current?.querySelector<HTMLElement>(`[data-entry="${CSS.escape(refocus.current)}"]`)
    element?.focus({ preventScroll: true })
    element?.scrollIntoView({ block: 'nearest' })
    refocus.current = null
  }, [lists])
  const toFirst = useLatest(() => card(current)?.focus())
  useEffect(() => {
    if (focus) toFirst()
  }, [focus, toFirst])
  useEffect(() => {
    editor.views.set(object.name, { focus: toFirst, finish: keep })
    return () => void editor.views.delete(object.name)
  }, [editor, object.name, toFirst, keep])

  const walk = (id: string, key: string) => {
    const order = columns.flatMap((column) => [...(lists[column.name] ?? [])])
    const at = order.indexOf(id)
    const next = key === 'Home' ? 0 : key === 'End' ? order.length - 1 : at + (key === 'ArrowDown' || key === 'ArrowRight' ? 1 : -1)
    card(order[next] ?? null)?.focus()
  }
  const onKeyDown = (event: KeyboardEvent, id: string) => {
    const way = WAYS[event.key]
    if (event.ctrlKey || event.metaKey || event.target !== event.currentTarget || (!way && event.key !== 'Enter')) return
    if (event.key === 'Enter') {
      if (!keep()) return
    } else if (event.altKey) move(id, moved(lists, id, way!))
    else walk(id, event.key)
    event.preventDefault()
  }

  return (
    <div ref={frame} className={classes.frame} data-dragging={held !== null || undefined}>
      {!readOnly && !entry && (
        <Group className={classes.open} gap="sm" justify="space-between">
          <Text size="sm">
            {suggested ? (
              <>
                <IconSparkles size={14} aria-hidden /> A suggested order.
              </>
            ) : (
              'Not in order yet.'
            )}{' '}
            {many ? 'Put each one where it belongs.' : 'The best comes first.'}
          </Text>
          <Button size="compact-sm" variant="default" leftSection={<IconCheck size={14} />} onClick={() => keep()} aria-keyshortcuts="Enter">
            This order is right
          </Button>
        </Group>
      )}
      <div className={classes.columns} data-many={many || undefined}>
        {columns.map((column, at) => {
          const ids = lists[column.name] ?? []
          return (
            <section key={column.name} className={classes.column} aria-label={column.title || object.name}>
              {(many || column.title) && (
                <h3 className={classes.title}>
                  {column.title} {many && <span className={classes.count}>{ids.length}</span>}
                </h3>
              )}
              <ol className={classes.list} data-column={column.name} aria-label={column.title || object.name}>
                {ids.map((id, index) => (
                  <Card
                    key={id}
                    entry={byId.get(id)!}
                    number={index + 1}
                    of={ids.length}
                    where={many ? column.title : ''}
                    dashed={dashed}
                    held={held === id}
                    mark={target?.column === column.name && target.index === index}
                    active={current === id}
                    moves={readOnly ? [] : ([index > 0 && 'up', index < ids.length - 1 && 'down', many && at > 0 && 'left', many && at < columns.length - 1 && 'right'] as const).filter((way) => way !== false)}
                    onMove={(way) => move(id, moved(lists, id, way))}
                    onFocus={() => setActive(id)}
                    onKeyDown={(event) => onKeyDown(event, id)}
                    grip={readOnly ? undefined : grip(id)}
                  />
                ))}
                {target?.column === column.name && target.index === ids.length && <li className={classes.end} aria-hidden />}
                {ids.length === 0 && <li className={classes.empty}>Nothing is here yet.</li>}
              </ol>
            </section>
          )
        })}
      </div>
    </div>
  )
}
