import { Button, Progress, Text } from '@mantine/core'
import classes from './MakingBar.module.css'

/** How far a large search, filter or sort is, over the table that still shows what was there before. */
export function MakingBar({ progress, what, onCancel }: { progress: number | null; what: string; onCancel: () => void }) {
  const done = Math.round((progress ?? 0) * 100)
  return (
    <div className={classes.place} role="status">
      {progress !== null && (
        <div className={classes.bar}>
          <Text size="sm" fw={550} truncate>
            {what}
          </Text>
          <Progress value={Math.max(done, 3)} animated className={classes.progress} aria-label={what} />
          <Text size="sm" c="dimmed" className="tabular">
            {done} %
          </Text>
          <Button size="compact-sm" variant="default" onClick={onCancel}>
            Cancel
          </Button>
        </div>
      )}
    </div>
  )
}
