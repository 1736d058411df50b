/** An item's data as a table: a row for each field, or a list of records with a column for each. */
import { Button, Text } from '@mantine/core'
import { useMemo, useState } from 'react'

import type { LabelObject } from '../config'
import { useStore } from '../hooks'
import { tableOf, wordsOf } from './table'
import classes from './TableView.module.css'

/** Longer values are folded, so that all fields are seen. */
const LONG = 1200

export function TableView({ object }: { object: LabelObject }) {
  const editor = useStore()
  const { data } = editor.item
  const shown = useMemo(() => tableOf(data, object.value), [data, object.value])
  if (!shown) {
    return (
      <Text c="dimmed" m="auto" p="md">
        “{object.value}” holds no table to show. An object, or a list of objects, is shown with a row for each field.
      </Text>
    )
  }
  return (
    // Longer than its place it is scrolled, by keys too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
    <div className={classes.frame} role="region" tabIndex={0} aria-label={`Table “${object.name}”`}>
      {'fields' in shown ? (
        <table className={classes.fields}>
          <tbody>
            {Object.entries(shown.fields).map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <Cell value={value} />
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <table className={classes.records}>
          <thead>
            <tr>
              {shown.columns.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.rows.map((row, index) => (
              <tr key={index}>
                {shown.columns.map((name) => (
                  <Cell key={name} value={row[name]} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function Cell({ value }: { value: unknown }) {
  const [open, setOpen] = useState(false)
  const words = wordsOf(value)
  const long = words.length > LONG
  return (
    <td data-number={typeof value === 'number' || undefined} data-none={words === '' || undefined}>
      {words === '' ? 'none' : long && !open ? `${words.slice(0, LONG)}…` : words}
      {long && (
        <Button size="compact-xs" variant="subtle" ml={6} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Fold' : 'Show all'}
        </Button>
      )}
    </td>
  )
}
