/** The labels one draws or marks with, each with its key; with a selection they name it. */
import { TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'

import { controlsInOrder, hasPalette, type LabelControl } from '../config'
import { useCurrent, useStore, useStoreState } from '../hooks'
import { keyFor } from '../keys'
import { ariaKeys, KeyCap } from './KeyCap'
import classes from './panel.module.css'

/** So many labels are overlooked no more: they get a search. */
const MANY = 24

export function Palettes() {
  const editor = useStore()
  const palettes = controlsInOrder(editor.config).filter((control) => hasPalette(editor.config, control))
  if (palettes.length === 0) return null
  return (
    <div className={classes.palettes}>
      {palettes.map((control) => (
        <Palette key={control.name} control={control} named={palettes.length > 1} />
      ))}
    </div>
  )
}

function Palette({ control, named }: { control: LabelControl; named: boolean }) {
  const editor = useStore()
  const brush = useStoreState((state) => state.brush)
  const readOnly = useStoreState((state) => state.readOnly)
  const current = useCurrent()
  const [query, setQuery] = useState('')
  const shown = control.labels.filter((label) => label.value.toLowerCase().includes(query.toLowerCase()))
  return (
    <div className={classes.palette} role="group" aria-label={`Labels of ${control.name}`}>
      {named && <span className={classes.paletteName}>{control.name}</span>}
      {control.labels.length > MANY && <TextInput size="xs" w={140} value={query} onChange={(event) => setQuery(event.currentTarget.value)} placeholder="Find a label" aria-label={`Find a label of ${control.name}`} leftSection={<IconSearch size={14} />} />}
      {shown.map((label) => {
        const key = keyFor(editor.keys, control.name, label.value)
        const active = brush?.control === control.name && brush.label === label.value
        const ofCurrent = current !== undefined && current.to === control.to && current.labels.includes(label.value)
        return (
          <button
            key={label.value}
            type="button"
            className={classes.label}
            data-active={active || undefined}
            data-current={ofCurrent || undefined}
            aria-pressed={active}
            aria-keyshortcuts={key ? ariaKeys(key) : undefined}
            title={label.hint || undefined}
            disabled={readOnly}
            style={{ '--label': label.color } as React.CSSProperties}
            // A press would take the focus, and with it the text that is marked.
            onMouseDown={(event) => event.preventDefault()}
            onClick={(event) => editor.pick(control, label.value, event.shiftKey)}
          >
            <span className={classes.swatch} />
            {label.value}
            <KeyCap keys={key} />
          </button>
        )
      })}
    </div>
  )
}
