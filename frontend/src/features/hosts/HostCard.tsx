/** One host: what it is, what it has, what its processes do, and the buttons that say what it is to do. */
import { Anchor, Badge, Button, Group, Menu, Paper, Progress, SimpleGrid, Stack, Table, Text, Title, VisuallyHidden } from '@mantine/core'
import { IconChevronDown, IconDots, IconDroplet, IconPlayerPause, IconPlayerPlay, IconPlayerStop, IconTrash } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ago, bytes, duration, elapsed, humanise } from '@/lib/format'
import { ConfirmDialog, notifyError } from '@/ui/confirm'
import { StackedTable } from '@/ui/StackedTable'
import { StatusBadge } from '@/ui/StatusBadge'
import { stateWords, useRemove, useWant, type Host, type Wanted } from './data'
import classes from './hosts.module.css'

export function HostCard({ host, administrator }: { host: Host; administrator: boolean }) {
  const used = host.memory_bytes - host.memory_free
  return (
    <Paper component="section" p="md" aria-label={host.name} data-host={host.name} data-state={host.state}>
      <Group justify="space-between" align="flex-start" gap="sm">
        <div style={{ minWidth: 0 }}>
          <Group gap="xs">
            <Title order={2} size="h4" style={{ overflowWrap: 'anywhere' }}>
              {host.name}
            </Title>
            <StatusBadge status={host.state === 'running' ? 'live' : host.state} word={humanise(host.state)} />
          </Group>
          <Text size="sm" c="dimmed" mt={2}>
            {stateWords(host)}. {host.studio ? 'The studio’s own' : `Joined ${ago(host.joined_at)}${host.joined_with ? ` with “${host.joined_with}”` : ''}`}.
          </Text>
        </div>
        {administrator && <Actions host={host} />}
      </Group>
      <SimpleGrid component="dl" cols={{ base: 1, xs: 2, md: 4 }} spacing="md" mt="md" className={classes.facts}>
        <Fact name="Labels">
          {Object.entries(host.labels).map(([name, value]) => (
            <Badge key={name} variant="light" tt="none" size="sm">
              {name}={value}
            </Badge>
          ))}
          {Object.keys(host.labels).length === 0 && 'none'}
        </Fact>
        <Fact name="Queues">{host.queues.length > 0 ? host.queues.join(', ') : 'none'}</Fact>
        <Fact name="Memory">
          <Stack gap={4} w="100%">
            <span>
              {bytes(used)} of {bytes(host.memory_bytes)} used
            </span>
            <Progress value={host.memory_bytes ? (100 * used) / host.memory_bytes : 0} size="sm" aria-label="Memory in use" color={used / Math.max(1, host.memory_bytes) > 0.9 ? 'red' : undefined} />
          </Stack>
        </Fact>
        <Fact name="GPUs">
          {host.devices.length === 0 && 'none: steps that like one run on the CPU'}
          {host.devices.map((device) => (
            <Badge key={device.number} variant={device.taken > 0 ? 'filled' : 'outline'} tt="none" size="sm" maw="100%">
              {device.number}: {device.name}
              {device.memory > 0 && `, ${bytes(device.memory)}`} · {device.taken === 0 ? 'free' : host.share > 1 ? `${device.taken} of ${host.share} taken` : 'taken'}
            </Badge>
          ))}
        </Fact>
      </SimpleGrid>
      {host.processes.length > 0 && <Processes host={host} />}
      <Text size="xs" c="dimmed" mt="sm">
        Last heartbeat {ago(host.beat_at)} · {Object.entries(host.versions).map(([name, version]) => `${name} ${String(version)}`).join(' · ')}
      </Text>
    </Paper>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Processes({ host }: { host: Host }) {
  return (
    <StackedTable minWidth={280} fz="sm" mt="md" aria-label={`Processes of ${host.name}`}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Process</Table.Th>
          <Table.Th>Queues</Table.Th>
          <Table.Th>Memory</Table.Th>
          <Table.Th>Step</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {host.processes.map((process) => (
          <Table.Tr key={process.worker}>
            <Table.Td className={classes.number}>{process.pid}</Table.Td>
            <Table.Td data-label="Queues">{process.queues.join(', ')}</Table.Td>
            <Table.Td data-label="Memory" className={classes.number}>
              {bytes(process.memory)}
            </Table.Td>
            <Table.Td data-label="Step">
              {!process.step && (
                <Text span size="sm" c="dimmed">
                  idle
                </Text>
              )}
              {process.step && process.step.project && process.step.run && (
                <>
                  <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project: process.step!.project!, run: process.step!.run! }} search={{ step: process.step!.step }} {...props} />}>
                    {process.step.step}
                  </Anchor>{' '}
                  <Text span size="sm" c="dimmed">
                    run #{process.step.run_number} of {process.step.project_name}, {duration(elapsed(process.step.since))}
                  </Text>
                </>
              )}
              {process.step && !process.step.project && (
                <Text span size="sm" c="dimmed">
                  a step of another project, {duration(elapsed(process.step.since))}
                </Text>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </StackedTable>
  )
}

/** Pausing and draining lose nothing and are taken back with Resume; stopping asks, and so does forgetting a host. */
function Actions({ host }: { host: Host }) {
  const want = useWant()
  const remove = useRemove()
  const [asking, setAsking] = useState<'stop' | 'remove' | null>(null)
  const say = (wanted: Wanted) => want.mutate({ id: host.id, wanted }, { onError: notifyError })
  const gone = host.state === 'away' || host.state === 'stopped'
  const busy = want.isPending
  return (
    <Group gap="xs">
      {host.wanted === 'running' ? (
        <Button variant="default" size="xs" loading={busy} leftSection={<IconPlayerPause size={15} aria-hidden />} onClick={() => say('paused')}>
          Pause
          <VisuallyHidden> {host.name}</VisuallyHidden>
        </Button>
      ) : (
        <Button variant="default" size="xs" loading={busy} leftSection={<IconPlayerPlay size={15} aria-hidden />} onClick={() => say('running')}>
          {host.wanted === 'stopped' ? 'Start' : 'Resume'}
          <VisuallyHidden> {host.name}</VisuallyHidden>
        </Button>
      )}
      <Menu position="bottom-end" width={250}>
        <Menu.Target>
          <Button variant="default" size="xs" px={8} aria-label={`More for ${host.name}`} rightSection={<IconChevronDown size={14} aria-hidden />}>
            <IconDots size={16} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconDroplet size={16} aria-hidden />} disabled={host.wanted === 'draining' || host.wanted === 'stopped'} onClick={() => say('draining')}>
            Drain
            <Text size="xs" c="dimmed">
              Finish what runs, take nothing more
            </Text>
          </Menu.Item>
          <Menu.Item leftSection={<IconPlayerStop size={16} aria-hidden />} color="red" disabled={host.wanted === 'stopped'} onClick={() => setAsking('stop')}>
            Stop…
          </Menu.Item>
          <Menu.Item leftSection={<IconTrash size={16} aria-hidden />} color="red" disabled={!gone} onClick={() => setAsking('remove')}>
            Remove…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ConfirmDialog
        opened={asking === 'stop'}
        onClose={() => setAsking(null)}
        title={`Stop ${host.name}?`}
        message="It takes no more steps, finishes what runs, and then its worker processes end. They stay ended until somebody starts the host here."
        confirmLabel="Stop"
        onConfirm={() => want.mutateAsync({ id: host.id, wanted: 'stopped' })}
      />
      <ConfirmDialog
        opened={asking === 'remove'}
        onClose={() => setAsking(null)}
        title={`Remove ${host.name}?`}
        message={host.studio ? 'It disappears from this page. The studio’s own host comes back when its workers start again.' : 'The studio forgets it, and its token opens nothing any more. To come back it must join again.'}
        confirmLabel="Remove"
        onConfirm={() => remove.mutateAsync(host.id)}
      />
    </Group>
  )
}
