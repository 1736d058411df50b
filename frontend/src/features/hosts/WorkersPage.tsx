/** The machines that run steps: what each has and does now, and what it is to do. Everybody sees it; administrators of the studio act. */
import { Alert, Button, Skeleton, Stack } from '@mantine/core'
import { IconPlus, IconServer } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { useMe } from '@/api/me'
import { plural } from '@/lib/format'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { hostsQuery } from './data'
import { HostCard } from './HostCard'
import { JoinDialog } from './JoinDialog'
import { JoinTokens } from './JoinTokens'

export function WorkersPage() {
  const administrator = useMe()?.administrator ?? false
  const client = useQueryClient()
  const query = useQuery(hostsQuery)
  const [joining, setJoining] = useState(false)
  useLive('studio', () => void client.invalidateQueries({ queryKey: keys.hosts }))
  const hosts = query.data ?? []
  const join = administrator && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setJoining(true)}>
      Add a host
    </Button>
  )
  const processes = hosts.flatMap((host) => host.processes)
  const alone = hosts.length > 0 && hosts.every((host) => host.studio)
  return (
    <>
      <PageHeader
        title="Workers"
        description={hosts.length === 0 ? 'The machines that run the steps of all projects.' : `${plural(hosts.length, 'host')}, ${plural(processes.length, 'process', 'processes')}, ${processes.filter((one) => one.step).length} busy. They run the steps of all projects.`}
        actions={hosts.length > 0 ? join : undefined}
      />
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={220} />}
      {query.data?.length === 0 && (
        <EmptyState icon={IconServer} title="No host runs steps yet" actions={join}>
          A host is a machine with worker processes. The studio’s own starts with it; others join with one command, from anywhere that reaches this address.
        </EmptyState>
      )}
      <Stack gap="md">
        {hosts.map((host) => (
          <HostCard key={host.id} host={host} administrator={administrator} />
        ))}
        {alone && administrator && (
          <Alert variant="light" color="gray" icon={<IconServer size={18} aria-hidden />} title="More machines, GPUs, other places">
            Another machine joins with one command. Give it labels such as site=factory-3, and steps that need them run there and nowhere else.
          </Alert>
        )}
        {administrator && <JoinTokens />}
      </Stack>
      {administrator && <JoinDialog opened={joining} onClose={() => setJoining(false)} />}
    </>
  )
}
