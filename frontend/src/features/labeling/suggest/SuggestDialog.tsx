/** Suggestions by a model, deployed or registered: for all open items, with its progress, and the queue begun with what it is least sure of; and when an item is opened. */
import { Alert, Button, Divider, Group, Modal, Progress, Select, Skeleton, Stack, Switch, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { answeringQuery, prelabellingQuery, useRefresh, type LabelSchema } from '../data'
import { modelsQuery } from '../learn/data'
import { useAct } from './act'
import { bodyOf, followedOf, versionsOf } from './choices'
import { OnOpening } from './OnOpening'

type Prelabelling = Schemas['PrelabellingOut']

export function SuggestDialog({ schema, opened, onClose }: { schema: LabelSchema; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Suggestions by a model" size="lg">
      {opened && <Ask schema={schema} />}
    </Modal>
  )
}

function Ask({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const endpoints = useQuery(answeringQuery(project))
  const models = useQuery(modelsQuery(project))
  const job = useQuery(prelabellingQuery(project, schema.slug))
  const [chosen, setChosen] = useState<string | null>(null)
  const [reorder, setReorder] = useState(schema.order !== 'uncertain')
  const { busy, error, act } = useAct(async () => {
    await refresh()
    await job.refetch()
  })
  const path = { project, label_schema: schema.slug }
  const going = job.data?.status === 'queued' || job.data?.status === 'running'
  const choices = versionsOf(endpoints.data ?? [], models.data ?? [])
  const known = choices.flatMap((group) => group.items.map((one) => one.value))
  const before = job.data?.endpoint ? `endpoint ${job.data.endpoint}` : job.data?.model ? `model ${job.data.model}` : null
  const whom = chosen ?? (before && known.includes(before) ? before : known.length === 1 ? known[0]! : null)
  const start = () =>
    act(async () => {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/suggestions', { params: { path }, body: bodyOf(whom!) }))
      if (reorder && schema.order !== 'uncertain') await unwrap(api.PATCH('/api/v1/projects/{project}/label-schemas/{label_schema}', { params: { path }, body: { order: 'uncertain' } }))
    })
  const stop = () => act(() => unwrap(api.DELETE('/api/v1/projects/{project}/label-schemas/{label_schema}/suggestions', { params: { path } })))
  return (
    <Stack gap="md">
      <Text size="sm">Annotators see a model’s answer as a suggestion, which they accept or correct; nothing counts before a person has said it.</Text>
      <ErrorNotice error={endpoints.error ?? models.error ?? job.error} onRetry={() => void Promise.all([endpoints.refetch(), models.refetch(), job.refetch()])} />
      {(endpoints.isPending || models.isPending || job.isPending) && <Skeleton h={60} />}
      {endpoints.data && models.data && known.length === 0 && <Alert color="blue">There is no model in this project yet. Train one on the first labels and come back, or let the tab “Learn” do it.</Alert>}
      <Title order={3} size="h5">
        For all that is open now
      </Title>
      {known.length > 0 && (
        <>
          <Select label="Model" placeholder="Choose a model" data={choices} value={whom} onChange={setChosen} disabled={going} />
          {schema.order !== 'uncertain' && <Switch label="Begin the queue with what the model is least sure of" checked={reorder} onChange={(event) => setReorder(event.currentTarget.checked)} disabled={going} />}
        </>
      )}
      {job.data && <Told job={job.data} />}
      <ErrorNotice error={error} />
      <Group justify="flex-end">
        {going ? (
          <Button color="red" variant="light" loading={busy} onClick={() => void stop()}>
            Stop
          </Button>
        ) : (
          <Button loading={busy} disabled={!whom} onClick={() => void start()}>
            {job.data ? 'Suggest again' : 'Suggest'}
          </Button>
        )}
      </Group>
      <Divider />
      <div>
        <Title order={3} size="h5">
          When an item is opened
        </Title>
        <Text size="sm" c="dimmed">
          A model is asked about an item as somebody opens it, and about the next one ahead; nobody waits for it.
        </Text>
      </div>
      {endpoints.data && models.data && <OnOpening schema={schema} choices={followedOf(endpoints.data, models.data)} />}
    </Stack>
  )
}

function Told({ job }: { job: Prelabelling }) {
  const asked = job.done + job.refused
  const counted = `${asked.toLocaleString()} of ${Math.max(job.total, asked).toLocaleString()} items`
  const left = job.refused > 0 ? `, ${job.refused.toLocaleString()} of which the model could not answer` : ''
  const words = {
    queued: 'Waiting for the worker …',
    running: `${job.by} has answered for ${counted}${left} …`,
    done: `${job.by} answered for ${counted}${left}.`,
    failed: `Stopped after ${counted}: ${job.message}`,
    cancelled: `Stopped after ${counted}; what was suggested stays.`,
  }[job.status]
  const going = job.status === 'queued' || job.status === 'running'
  return (
    <Stack gap={6}>
      {going && <Progress value={(100 * asked) / Math.max(job.total, 1)} animated aria-label="Items asked about" />}
      <Text size="sm" role="status" c={job.status === 'failed' ? 'red' : undefined}>
        {words}
      </Text>
    </Stack>
  )
}
