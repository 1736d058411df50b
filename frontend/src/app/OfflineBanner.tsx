import { Button, Group, Loader, Text } from '@mantine/core'
import { connection, useOnline } from '@/api/connection'
import classes from './OfflineBanner.module.css'

/** Shown while the studio does not answer; goes away by itself, and everything on the page is then asked anew. */
export function OfflineBanner() {
  const online = useOnline()
  return (
    <div role="status" aria-live="polite">
      {!online && (
        <Group className={classes.banner} gap="sm" justify="center" wrap="nowrap">
          <Loader size={14} color="currentColor" aria-hidden />
          <Text size="sm">The studio does not answer. Trying again; nothing you see here is lost.</Text>
          <Button size="compact-xs" variant="white" flex="none" onClick={() => void connection.probe()}>
            Try now
          </Button>
        </Group>
      )}
    </div>
  )
}
