/** A run's priority: a badge, and for those who may change it a menu while the run is under way. */
import { Badge, Button, Menu } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconChevronDown, IconChevronsUp, IconEqual, type Icon } from '@tabler/icons-react'
import { useCan } from '@/api/me'
import { humanise } from '@/lib/format'
import { notifyError } from '@/ui/confirm'
import { usePriority } from './data'
import { ended, type Run } from './live'

type Word = Run['priority']
const LOOK: Record<Word, { icon: Icon; color: string }> = {
  urgent: { icon: IconChevronsUp, color: 'red' },
  high: { icon: IconArrowUp, color: 'orange' },
  normal: { icon: IconEqual, color: 'gray' },
  low: { icon: IconArrowDown, color: 'gray' },
}

/** Nothing for the usual one: a list full of “normal” tells nothing. */
export function PriorityBadge({ priority, size = 'sm' }: { priority: Word; size?: 'sm' | 'lg' }) {
  const { icon: IconOf, color } = LOOK[priority]
  if (priority === 'normal') return null
  return (
    <Badge size={size} color={color} leftSection={<IconOf size={size === 'lg' ? 14 : 11} aria-hidden />}>
      {humanise(priority)}
      <span className="visually-hidden"> priority</span>
    </Badge>
  )
}

export function PriorityMenu({ project, run }: { project: string; run: Run }) {
  const can = useCan()
  const change = usePriority(project, run)
  if (ended(run.status) || !can('run.priority')) return <PriorityBadge priority={run.priority} size="lg" />
  const { icon: Now } = LOOK[run.priority]
  return (
    <Menu position="bottom-start" width={220}>
      <Menu.Target>
        <Button size="compact-sm" variant="default" loading={change.isPending} leftSection={<Now size={14} aria-hidden />} rightSection={<IconChevronDown size={13} aria-hidden />} aria-label={`Priority: ${run.priority}. Change it`}>
          {humanise(run.priority)} priority
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {(['urgent', 'high', 'normal', 'low'] as const).map((word) => {
          const { icon: IconOf } = LOOK[word]
          return (
            <Menu.Item key={word} leftSection={<IconOf size={15} aria-hidden />} disabled={word === run.priority} onClick={() => change.mutate(word, { onError: notifyError })}>
              {humanise(word)}
            </Menu.Item>
          )
        })}
      </Menu.Dropdown>
    </Menu>
  )
}
