/** One trigger: what it does, how it stands, and its history as it happens. */
import { Anchor, Button, Group, Menu, Modal, Paper, Skeleton, Switch, Text } from '@mantine/core'
import { IconBolt, IconDots, IconKey, IconPencil, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, dateTime, plural } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { ConfirmDialog, notifyError } from '@/ui/confirm'
import { Missing } from '@/ui/Missing'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { triggerQuery, useDelete, useSwitch, type Trigger } from './data'
import { FireDialog } from './FireDialog'
import { History } from './History'
import { Secret, TriggerDrawer } from './TriggerDrawer'
import classes from './triggers.module.css'

export function TriggerPage() {
  const project = useProjectSlug()
  const { trigger: slug = '' } = useParams({ strict: false })
  const query = useQuery(triggerQuery(project, slug))
  const crumbs = [{ label: 'Triggers', to: '/p/$project/triggers' as const, params: { project } }]
  if (query.isPending) {
    return (
      <>
        <PageHeader title="Trigger" loading crumbs={crumbs} />
        <Skeleton h={200} />
      </>
    )
  }
  if (query.isError) {
    return (
      <Missing error={query.error} onRetry={() => void query.refetch()} what="trigger" icon={IconBolt} crumb={{ label: 'Triggers', to: '/p/$project/triggers', params: { project } }}>
        It may have been deleted, or the address is mistyped.
      </Missing>
    )
  }
  return <Shown project={project} trigger={query.data} crumbs={crumbs} />
}

function Shown({ project, trigger, crumbs }: { project: string; trigger: Trigger; crumbs: { label: string; to: '/p/$project/triggers'; params: { project: string } }[] }) {
  const can = useCan()
  const navigate = useNavigate()
  const client = useQueryClient()
  const flip = useSwitch(project)
  const remove = useDelete(project, () => void navigate({ to: '/p/$project/triggers', params: { project }, search: {} }))
  const [open, setOpen] = useState<'fire' | 'edit' | 'secret' | null>(null)
  const [fresh, setFresh] = useState<Trigger | null>(null)
  const restore = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/projects/{project}/triggers/{trigger}/restore', { params: { path: { project, trigger: trigger.slug } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.triggers(project) }),
    onError: notifyError,
  })
  const renew = async () => {
    setFresh(await unwrap(api.POST('/api/v1/projects/{project}/triggers/{trigger}/secret', { params: { path: { project, trigger: trigger.slug } } })))
    void client.invalidateQueries({ queryKey: keys.triggers(project) })
  }
  const gone = trigger.deleted_at !== null
  const writable = can('trigger.write') && !gone
  return (
    <>
      <PageHeader
        title={trigger.name}
        crumbs={crumbs}
        description={trigger.sentence}
        badges={gone ? <StatusBadge status="stopped" word="Deleted" /> : <Switch label={trigger.enabled ? 'On' : 'Off'} checked={trigger.enabled} disabled={!writable || flip.isPending} onChange={(event) => flip.mutate({ slug: trigger.slug, enabled: event.currentTarget.checked })} />}
        actions={
          <>
            {gone && can('trigger.write') && <Button onClick={() => restore.mutate()}>Restore</Button>}
            {!gone && can('trigger.fire') && (
              <Button leftSection={<IconBolt size={16} aria-hidden />} onClick={() => setOpen('fire')}>
                Fire now
              </Button>
            )}
            {writable && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button variant="default" px="xs" aria-label="More to do with this trigger">
                    <IconDots size={18} aria-hidden />
                  </Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setOpen('edit')}>
                    Change…
                  </Menu.Item>
                  {trigger.url && (
                    <Menu.Item leftSection={<IconKey size={16} aria-hidden />} onClick={() => setOpen('secret')}>
                      New secret…
                    </Menu.Item>
                  )}
                  <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate(trigger)}>
                    Delete
                  </Menu.Item>
                </Menu.Dropdown>
              </Menu>
            )}
          </>
        }
      />
      <Paper p="md" mb="lg" component="section" aria-label="What it does">
        <dl className={classes.facts}>
          <dt>Runs</dt>
          <dd>
            <Anchor size="sm" underline="always" renderRoot={(props) => <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: trigger.pipeline }} {...props} />}>
              {trigger.pipeline_name}
            </Anchor>
            , {trigger.version ? `version ${trigger.version}` : 'the newest published version'}
            {trigger.pipeline_deleted && (
              <Text span size="sm" c="red">
                {' '}
                (deleted: nothing can start)
              </Text>
            )}
          </dd>
          <dt>In the name of</dt>
          <dd>{trigger.owner ? trigger.owner.name || trigger.owner.email : 'nobody any more: change it to take it over'}</dd>
          {trigger.next_at && (
            <>
              <dt>Next time</dt>
              <dd>
                {dateTime(trigger.next_at)} ({ago(trigger.next_at)})
              </dd>
            </>
          )}
          {trigger.connection && (
            <>
              <dt>Connection</dt>
              <dd>
                <Group gap="xs">
                  <StatusBadge status={trigger.connection.state} />
                  {trigger.connection.message}
                </Group>
              </dd>
            </>
          )}
          {given(trigger).map(([what, value]) => (
            <div key={what} style={{ display: 'contents' }}>
              <dt>{what}</dt>
              <dd>{value}</dd>
            </div>
          ))}
          <dt>Limits</dt>
          <dd>
            {plural(trigger.most_at_once, 'run')} at once, {trigger.most_per_hour} an hour
            {trigger.coalesce_s > 0 && `; events within ${trigger.coalesce_s} s start one run`}
          </dd>
          {trigger.url && (
            <>
              <dt>Address</dt>
              <dd>
                <CodeSnippet code={trigger.url} label="Copy the address" />
              </dd>
            </>
          )}
        </dl>
      </Paper>
      <History project={project} trigger={trigger} replayable={can('trigger.fire') && !gone} />
      <FireDialog project={project} trigger={trigger} opened={open === 'fire'} onClose={() => setOpen(null)} />
      <TriggerDrawer project={project} trigger={trigger} opened={open === 'edit'} onClose={() => setOpen(null)} />
      <ConfirmDialog
        opened={open === 'secret'}
        onClose={() => setOpen(null)}
        title="Make a new secret?"
        message="Requests signed with the present secret are refused from then on. The address stays the same."
        confirmLabel="Make a new secret"
        color="blue"
        onConfirm={renew}
      />
      <Modal opened={fresh !== null} onClose={() => setFresh(null)} title="The new secret" size="lg">
        {fresh && <Secret trigger={fresh} project={project} onClose={() => setFresh(null)} />}
      </Modal>
    </>
  )
}

/** Constants and paths as they are read: `train.trees = 10`, `read.dataset from $event.data.reference`. */
function given(trigger: Trigger): [string, string][] {
  const lines = [
    ...Object.entries(trigger.parameters).flatMap(([step, values]) => Object.entries(values).map(([name, value]) => `${step}.${name} = ${JSON.stringify(value)}`)),
    ...Object.entries(trigger.mapping).flatMap(([step, values]) => Object.entries(values).map(([name, path]) => `${step}.${name} from ${path}`)),
  ]
  return lines.length > 0 ? [['Given', lines.join('; ')]] : []
}
