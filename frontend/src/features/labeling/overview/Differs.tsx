/** Two versions of a text: what one has and the other has not is marked. */
import { differing } from './differing'
import classes from './sync.module.css'

export function Differs({ text, other }: { text: string; other: string | undefined }) {
  if (other === undefined) return <mark className={classes.differs}>{text || '(empty)'}</mark>
  const [begin, end] = differing(text, other)
  return (
    <>
      {text.slice(0, begin)}
      {end > begin && <mark className={classes.differs}>{text.slice(begin, end)}</mark>}
      {text.slice(end)}
    </>
  )
}

/** The fields of a task as one side says them, beside what the other says. */
export function Fields({ data, other }: { data: Record<string, string>; other: Record<string, string> }) {
  const names = [...new Set([...Object.keys(data), ...Object.keys(other)])]
  return (
    <dl className={classes.fields}>
      {names.map((name) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{data[name] === undefined ? <i>not there</i> : <Differs text={data[name]} other={other[name]} />}</dd>
        </div>
      ))}
    </dl>
  )
}
