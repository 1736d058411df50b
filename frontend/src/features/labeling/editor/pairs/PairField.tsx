/** The pair's question in the panel: for those who do not use the cards. */
import { IconCheck } from '@tabler/icons-react'

import { useStore } from '../hooks'
import { keyFor } from '../keys'
import { ariaKeys, KeyCap } from '../panel/KeyCap'
import type { FieldProps } from '../panel/Controls'
import panel from '../panel/panel.module.css'
import { choose, selectedOf, SIDE_NAMES, SIDES } from './pairs'

export function PairField({ control, entry, readOnly, region }: FieldProps) {
  const editor = useStore()
  const selected = selectedOf(entry)
  return (
    <div className={panel.choices} role="group" aria-labelledby={`about-${control.name}-${region ?? ''}`}>
      {SIDES.map((side) => {
        const key = keyFor(editor.keys, control.name, side)
        return (
          <button key={side} type="button" className={panel.choice} data-round aria-pressed={selected === side} aria-keyshortcuts={key ? ariaKeys(key) : undefined} disabled={readOnly} onClick={() => choose(editor, control, side)}>
            <span className={panel.tick}>{selected === side && <IconCheck size={13} stroke={3} />}</span>
            <span className={panel.choiceText}>{SIDE_NAMES[side]}</span>
            <KeyCap keys={key} />
          </button>
        )
      })}
    </div>
  )
}
