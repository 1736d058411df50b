/** Two objects side by side, and which of them is better: by a click on one, by 1 and 2, by the arrows to the left and right. */
import { IconCheck, IconSparkles } from '@tabler/icons-react'
import type { ReactNode } from 'react'

import type { LabelObject, ObjectTag } from '../config'
import { useStore, useStoreState } from '../hooks'
import { keyFor } from '../keys'
import { ariaKeys, KeyCap } from '../panel/KeyCap'
import { answerOf } from '../result'
import { choose, selectedOf, SIDE_NAMES, SIDES, type Pair, type Side } from './pairs'
import classes from './PairView.module.css'

export function PairView({ pair, views }: { pair: Pair; views: Record<ObjectTag, (props: { object: LabelObject }) => ReactNode> }) {
  return (
    <div className={classes.pair} role="group" aria-label="Which one is better?">
      {SIDES.map((side) => (
        <Card key={side} pair={pair} side={side} view={views[pair.objects[side].tag]} />
      ))}
    </div>
  )
}

function Card({ pair: { control, objects }, side, view: Shown }: { pair: Pair; side: Side; view: (props: { object: LabelObject }) => ReactNode }) {
  const editor = useStore()
  const entry = useStoreState((state) => answerOf(state.result, control.name))
  const suggested = useStoreState((state) => selectedOf(answerOf(state.suggestions, control.name)))
  const readOnly = useStoreState((state) => state.readOnly)
  const accepted = useStoreState((state) => entry !== undefined && state.accepted.has(entry.id))
  const selected = selectedOf(entry)
  const on = selected === side
  const ghost = selected === null && suggested === side
  const dashed = ghost || (on && entry?.origin === 'prediction' && !accepted)
  const key = keyFor(editor.keys, control.name, side)
  const name = SIDE_NAMES[side]
  const press = () => choose(editor, control, side)
  return (
    <article className={classes.card} data-on={on || undefined} data-dashed={dashed || undefined} data-other={(selected !== null && !on) || undefined} aria-label={name}>
      <button type="button" className={classes.head} aria-pressed={on} aria-label={`${name} is better`} aria-keyshortcuts={key ? ariaKeys(key) : undefined} disabled={readOnly} onClick={press}>
        <span className={classes.tick}>{on && <IconCheck size={14} stroke={3} />}</span>
        <span className={classes.name}>{objects[side].title || name}</span>
        {ghost && (
          <span className={classes.suggested}>
            <IconSparkles size={13} aria-hidden /> suggested
          </span>
        )}
        <span className={classes.word}>{on ? 'Better' : ''}</span>
        {!readOnly && <KeyCap keys={key} />}
      </button>
      {/* eslint-disable-next-line jsx-a11y/no-static-element-interactions, jsx-a11y/click-events-have-key-events -- a larger place for the mouse; the button above says the same to everybody */}
      <div
        className={classes.body}
        onClick={() => {
          // Who marks a part of the text does not mean the whole.
          if (!readOnly && objects[side].tag === 'Text' && window.getSelection()?.isCollapsed !== false) press()
        }}
      >
        <Shown object={objects[side]} />
      </div>
    </article>
  )
}
