/** A text that is only read: a question, an answer. Shown as it is, never as markup. */
import { drawingControls, type LabelConfig, type LabelObject } from '../config'
import { useStore } from '../hooks'
import { isSecond, pairOf } from '../pairs/pairs'
import classes from './ReadingText.module.css'

/** Beside answers that are compared a text is a page to read, unless parts of it are marked. */
export function reads(config: LabelConfig, object: LabelObject): boolean {
  return drawingControls(config, object.name).length === 0 && config.controls.some((control) => control.type === 'pairwise' || control.type === 'ranker')
}

export function ReadingText({ object }: { object: LabelObject }) {
  const editor = useStore()
  const text = String(editor.item.data[object.value] ?? '')
  const compared = isSecond(editor.config, object.name) || pairOf(editor.config, object.name) !== null
  return (
    // Longer than its place it is scrolled, by keys too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- as above
    <div className={classes.text} data-compared={compared || undefined} role="region" tabIndex={0} aria-label={`Text “${object.name}”`}>
      <div className={classes.page}>{text || <span className={classes.empty}>There is no text.</span>}</div>
    </div>
  )
}
