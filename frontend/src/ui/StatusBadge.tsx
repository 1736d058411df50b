import { Badge, Tooltip, type MantineSize } from '@mantine/core'
import {
  IconAlertTriangle,
  IconArrowBackUp,
  IconArrowsJoin,
  IconBan,
  IconCheck,
  IconClock,
  IconLoader2,
  IconLock,
  IconPencil,
  IconPlayerPause,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconUser,
  IconX,
  type Icon,
} from '@tabler/icons-react'
import { humanise } from '@/lib/format'
import classes from './StatusBadge.module.css'

type Look = { icon: Icon; color: string; spin?: boolean; word?: string }

/** One look for each status word of the studio (DESIGN §9) and for the states of data, uploads and deployments. */
export const STATUS: Record<string, Look> = {
  queued: { icon: IconClock, color: 'gray' },
  running: { icon: IconLoader2, color: 'blue', spin: true },
  succeeded: { icon: IconCheck, color: 'green' },
  failed: { icon: IconX, color: 'red' },
  cancelled: { icon: IconBan, color: 'orange' },
  skipped: { icon: IconPlayerSkipForward, color: 'gray' },
  waiting: { icon: IconUser, color: 'yellow' },
  draft: { icon: IconPencil, color: 'yellow' },
  freezing: { icon: IconLoader2, color: 'blue', spin: true },
  frozen: { icon: IconLock, color: 'water' },
  receiving: { icon: IconLoader2, color: 'blue', spin: true },
  processing: { icon: IconLoader2, color: 'blue', spin: true },
  ready: { icon: IconCheck, color: 'green' },
  starting: { icon: IconLoader2, color: 'blue', spin: true },
  live: { icon: IconCheck, color: 'green' },
  retired: { icon: IconArrowBackUp, color: 'gray' },
  replaced: { icon: IconArrowBackUp, color: 'gray' },
  paused: { icon: IconPlayerPause, color: 'yellow' },
  draining: { icon: IconLoader2, color: 'orange', spin: true },
  drained: { icon: IconPlayerPause, color: 'orange' },
  stopping: { icon: IconLoader2, color: 'gray', spin: true },
  away: { icon: IconAlertTriangle, color: 'red' },
  stopped: { icon: IconPlayerStop, color: 'gray' },
  received: { icon: IconClock, color: 'blue' },
  started: { icon: IconCheck, color: 'green' },
  coalesced: { icon: IconArrowsJoin, color: 'gray' },
  limited: { icon: IconBan, color: 'orange' },
  ignored: { icon: IconPlayerSkipForward, color: 'gray' },
  connected: { icon: IconCheck, color: 'green' },
  connecting: { icon: IconLoader2, color: 'blue', spin: true },
  error: { icon: IconX, color: 'red' },
  warning: { icon: IconAlertTriangle, color: 'yellow' },
}

export function statusLook(status: string): Look {
  return STATUS[status] ?? { icon: IconClock, color: 'gray' }
}

/** Icon, word and colour together: colour is never the only cue. `hint` shows why (a skip reason, an error). */
export function StatusBadge({ status, word, hint, size = 'md' }: { status: string; word?: string; hint?: string; size?: MantineSize }) {
  const { icon: IconOf, color, spin } = statusLook(status)
  const badge = (
    <Badge
      color={color}
      size={size}
      data-status={status}
      tabIndex={hint ? 0 : undefined}
      leftSection={<IconOf size={size === 'sm' || size === 'xs' ? 11 : 13} stroke={2.4} className={spin ? classes.spin : undefined} aria-hidden />}
      className={classes.badge}
    >
      {word ?? humanise(status)}
    </Badge>
  )
  return hint ? (
    <Tooltip label={hint} multiline maw={360}>
      {badge}
    </Tooltip>
  ) : (
    badge
  )
}
