/** All triggers of a project: what starts each, what happened last, and whether it is on. */
import { Anchor, Button, Group, Paper, SimpleGrid, Skeleton, Switch, Table, Text, ThemeIcon } from '@mantine/core'
import { IconBolt, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCan, useProjectSlug } from '@/api/me'
import { ago } from '@/lib/format'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { kindIcon, kindsQuery, triggersQuery, useSwitch, type Trigger } from './data'
import { TriggerDrawer } from './TriggerDrawer'
import classes from './triggers.module.css'

export function TriggersPage() {
  const project = useProjectSlug()
  const can = useCan()
  const navigate = useNavigate()
  const query = useQuery(triggersQuery(project))
  const { new: creating } = useSearch({ strict: false }) as { new?: string }
  const open = (kind: string | undefined) => void navigate({ to: '.', search: { new: kind }, replace: true })
  const create = can('trigger.write') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => open('any')}>
      New trigger
    </Button>
  )
  return (
    <>
      <PageHeader title="Triggers" description="Start runs by themselves: at set times, when something happens here, or when another program says so." actions={query.data?.length ? create : undefined} />
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={160} />}
      {query.data?.length === 0 && (
        <>
          <EmptyState icon={IconBolt} title="Nothing starts by itself yet" actions={create}>
            A trigger runs a published pipeline when something happens, at most once for each event. Every event is kept with what came of it, and can be replayed.
          </EmptyState>
          {can('trigger.write') && <Ideas project={project} onChoose={open} />}
        </>
      )}
      {query.data && query.data.length > 0 && (
        <Paper component="section" aria-label="Triggers" style={{ overflow: 'hidden' }}>
          <Table fz="sm" aria-label="Triggers" className={classes.list} verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Trigger</Table.Th>
                <Table.Th>Pipeline</Table.Th>
                <Table.Th>Last event</Table.Th>
                <Table.Th>Next time</Table.Th>
                <Table.Th>On</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {query.data.map((trigger) => (
                <Row key={trigger.id} project={project} trigger={trigger} writable={can('trigger.write')} />
              ))}
            </Table.Tbody>
          </Table>
        </Paper>
      )}
      <TriggerDrawer project={project} opened={Boolean(creating)} kind={creating === 'any' ? undefined : creating} onClose={() => open(undefined)} />
    </>
  )
}

function Row({ project, trigger, writable }: { project: string; trigger: Trigger; writable: boolean }) {
  const flip = useSwitch(project)
  const IconOf = kindIcon(trigger.kind)
  const last = trigger.last_event
  return (
    <Table.Tr>
      <Table.Td className={classes.name}>
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <ThemeIcon variant="light" size={34} radius="md" color={trigger.enabled ? undefined : 'gray'} aria-hidden>
            <IconOf size={19} stroke={1.7} />
          </ThemeIcon>
          <div style={{ minWidth: 0 }}>
            <Anchor fw={600} size="sm" renderRoot={(props) => <Link to="/p/$project/triggers/$trigger" params={{ project, trigger: trigger.slug }} {...props} />}>
              {trigger.name}
            </Anchor>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {trigger.sentence}
            </Text>
            {trigger.connection && trigger.connection.state !== 'connected' && <StatusBadge size="sm" status={trigger.connection.state} hint={trigger.connection.message} />}
          </div>
        </Group>
      </Table.Td>
      <Table.Td data-label="Pipeline">
        <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: trigger.pipeline }} {...props} />}>
          {trigger.pipeline_name}
        </Anchor>
        <Text size="xs" c={trigger.pipeline_deleted ? 'red' : 'dimmed'}>
          {trigger.pipeline_deleted ? 'deleted' : trigger.version ? `version ${trigger.version}` : 'newest version'}
        </Text>
      </Table.Td>
      <Table.Td data-label="Last event">
        {last ? (
          <>
            <StatusBadge status={last.status} hint={last.reason || undefined} />
            <Text size="xs" c="dimmed" mt={2}>
              {ago(last.received_at)}
            </Text>
          </>
        ) : (
          <Text size="sm" c="dimmed">
            None yet
          </Text>
        )}
      </Table.Td>
      <Table.Td data-label="Next time">{trigger.next_at ? ago(trigger.next_at) : '–'}</Table.Td>
      <Table.Td className={classes.on}>
        <Switch
          aria-label={`${trigger.name} is on`}
          checked={flip.isPending ? flip.variables.enabled : trigger.enabled}
          disabled={!writable}
          onChange={(event) => flip.mutate({ slug: trigger.slug, enabled: event.currentTarget.checked })}
        />
      </Table.Td>
    </Table.Tr>
  )
}

/** What there is to choose from, where nothing was chosen yet. */
function Ideas({ project, onChoose }: { project: string; onChoose: (kind: string) => void }) {
  const kinds = useQuery(kindsQuery(project))
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="sm" mt="lg" component="section" aria-label="Kinds of triggers">
      {kinds.data?.map((kind) => {
        const IconOf = kindIcon(kind.name)
        return (
          <button key={kind.name} type="button" className={classes.card} onClick={() => onChoose(kind.name)}>
            <IconOf size={22} stroke={1.6} aria-hidden />
            <span>
              <Text size="sm" fw={600} span display="block">
                {kind.title}
              </Text>
              <Text size="xs" c="dimmed" span display="block">
                {kind.about}
              </Text>
            </span>
          </button>
        )
      })}
    </SimpleGrid>
  )
}
