/** Below what plays: play, steps, speed, repeat, where one is. Every button is a command and says its key. */
import { ActionIcon, Group, Select, Text, Tooltip } from '@mantine/core'
import { IconPlayerPause } from '@tabler/icons-react'
import { useSyncExternalStore, type ReactNode } from 'react'

import { clock } from '@/lib/format'

import type { Action } from '../actions'
import { back, forward, loop, play, selection } from '../actions/time'
import { fit, zoomIn, zoomOut } from '../actions/view'
import { useStore } from '../hooks'
import { ariaKeys, KeyCap } from '../panel/KeyCap'
import { SPEEDS, type Player } from './media'
import classes from './time.module.css'

export function MediaBar({ player, more, place }: { player: Player; more: readonly Action[]; place?: ReactNode }) {
  const { playing, speed, loop: looping } = useSyncExternalStore(player.subscribe, () => player.state)
  return (
    <Group gap={4} className={classes.bar} role="toolbar" aria-label="Playing">
      <Command action={back} />
      <Command action={play} label={playing ? 'Pause' : 'Play'} icon={playing ? <IconPlayerPause size={18} /> : undefined} />
      <Command action={forward} />
      <Command action={selection} />
      <Command action={loop} on={looping} />
      <Select
        size="xs"
        w={84}
        aria-label="Speed"
        allowDeselect={false}
        data={SPEEDS.map((one) => ({ value: String(one), label: `${one} ×` }))}
        value={String(speed)}
        onChange={(value) => value && player.setSpeed(Number(value))}
      />
      <Text size="sm" className={`tabular ${classes.clock}`} data-testid="clock">
        {place ?? <Clock player={player} />}
      </Text>
      <Group gap={4} ml="auto">
        {more.map((action) => (
          <Command key={action.id} action={action} />
        ))}
        <Command action={zoomOut} />
        <Command action={zoomIn} />
        <Command action={fit} />
      </Group>
    </Group>
  )
}

function Clock({ player }: { player: Player }) {
  const time = useSyncExternalStore(player.subscribe, () => Math.round(player.state.time * 10) / 10)
  const duration = useSyncExternalStore(player.subscribe, () => player.state.duration)
  return (
    <>
      {clock(time, 1)} / {clock(duration, 1)}
    </>
  )
}

function Command({ action, on, label = action.label, icon }: { action: Action; on?: boolean; label?: string; icon?: ReactNode }) {
  const editor = useStore()
  const keys = action.keys[0] ?? ''
  const Icon = action.icon
  return (
    <Tooltip
      label={
        <Group gap={6}>
          {label} <KeyCap keys={keys === ' ' ? 'Space' : keys} />
        </Group>
      }
    >
      <ActionIcon
        variant={on ? 'light' : 'subtle'}
        size="lg"
        aria-label={label}
        aria-keyshortcuts={keys === ' ' ? 'Space' : ariaKeys(keys)}
        aria-pressed={on}
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => action.available(editor) && action.run(editor)}
      >
        {icon ?? <Icon size={18} />}
      </ActionIcon>
    </Tooltip>
  )
}
