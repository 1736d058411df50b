/** Which embeddings a data set has, how far they are, and what else could be computed. */
import { Alert, Button, Group, Paper, Progress, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconPlayerStop, IconRefresh, IconVectorTriangle } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ConfirmButton } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import type { Space } from './data'

const BASE = '/api/v1/projects/{project}/datasets/{dataset}/spaces'
const NAMES = { model: 'Model', checkpoint: 'Checkpoint', column: 'Column' }

export function SpaceForm({ dataset, found }: { dataset: string; found: Schemas['SpacesOut'] }) {
  const project = useProjectSlug()
  const can = useCan()
  const client = useQueryClient()
  const usable = found.embedders.filter((one) => !one.unavailable)
  const [name, setName] = useState<string | null>(usable[0]?.name ?? null)
  const [given, setGiven] = useState<{ [key: string]: string }>({})
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const embedder = found.embedders.find((one) => one.name === name)
  const value = (need: string) => given[need] ?? (embedder?.choices[need]?.length === 1 ? embedder.choices[need][0]! : '')
  const start = async () => {
    if (!embedder) return
    setBusy(true)
    setError(null)
    try {
      const asked = Object.fromEntries(embedder.needs.map((need) => [need, value(need)]))
      await unwrap(api.POST(BASE, { params: { path: { project, dataset } }, body: { embedder: embedder.name, ...asked } }))
      await client.invalidateQueries({ queryKey: keys.datasets(project) })
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  if (found.unavailable) return <Alert color="yellow">{found.unavailable}</Alert>
  return (
    <Stack gap="md" maw={760}>
      {found.spaces.map((space) => (
        <SpaceRow key={space.id} dataset={dataset} space={space} />
      ))}
      {can('dataset.write') ? (
        <Paper withBorder p="md">
          <form
            onSubmit={(event) => {
              event.preventDefault()
              void start()
            }}
          >
            <Stack gap="sm">
              <Text size="sm" c="dimmed">
                Each item becomes a point: what is alike lies close together. From then on you find similar items, duplicates and probable label errors, and label many at once.
              </Text>
              <Select label="What makes items alike" allowDeselect={false} data={found.embedders.map((one) => ({ value: one.name, label: one.title, disabled: !!one.unavailable }))} value={name} onChange={setName} description={embedder?.unavailable || embedder?.help} />
              {embedder?.needs.map((need) =>
                embedder.choices[need] ? (
                  <Select key={need} label={NAMES[need]} data={embedder.choices[need]} value={value(need) || null} onChange={(chosen) => setGiven({ ...given, [need]: chosen ?? '' })} />
                ) : (
                  <TextInput key={need} label={NAMES[need]} placeholder="owner/name, or a folder" value={value(need)} maxLength={200} onChange={(event) => setGiven({ ...given, [need]: event.currentTarget.value })} />
                ),
              )}
              <ErrorNotice error={error} />
              <Button type="submit" loading={busy} disabled={!embedder || embedder.needs.some((need) => !value(need).trim())} leftSection={<IconVectorTriangle size={16} aria-hidden />} style={{ alignSelf: 'flex-start' }}>
                Compute
              </Button>
            </Stack>
          </form>
        </Paper>
      ) : (
        found.spaces.length === 0 && <Text size="sm">Nobody has computed embeddings of this data set yet. Ask an editor.</Text>
      )}
    </Stack>
  )
}

const STAGES = { embed: 'Embedding', arrange: 'Drawing the map', index: 'Making the index' }

function SpaceRow({ dataset, space }: { dataset: string; space: Space }) {
  const project = useProjectSlug()
  const can = useCan()
  const client = useQueryClient()
  const [error, setError] = useState<unknown>(null)
  const path = { project, dataset, space: space.id }
  const going = space.status === 'queued' || space.status === 'running'
  const act = async (ask: () => Promise<unknown>) => {
    setError(null)
    try {
      await ask()
      await client.invalidateQueries({ queryKey: keys.datasets(project) })
    } catch (failure) {
      setError(failure)
    }
  }
  const again = () => act(() => unwrap(api.POST(BASE, { params: { path: { project, dataset } }, body: { embedder: space.embedder, ...space.parameters } })))
  const stop = () => act(() => unwrap(api.POST(`${BASE}/{space}/cancel`, { params: { path } })))
  const remove = () => act(() => unwrap(api.DELETE(`${BASE}/{space}`, { params: { path } })))
  const left = space.refused ? `, ${space.refused.toLocaleString()} could not be read` : ''
  const words = {
    queued: 'Waiting for the worker …',
    running: space.stage === 'embed' ? `Embedding: ${space.done.toLocaleString()} of ${space.total.toLocaleString()} …` : `${STAGES[space.stage]} …`,
    ready: `${(space.done - space.refused).toLocaleString()} items, version ${space.version}, ${space.dimension} numbers each${left}`,
    failed: space.message,
    cancelled: `Stopped after ${space.done.toLocaleString()}; what is computed stays.`,
  }[space.status]
  return (
    <Paper withBorder p="sm">
      <Group justify="space-between" gap="xs">
        <div>
          <Text fw={600} size="sm">
            {space.title}
          </Text>
          <Text size="sm" role="status" c={space.status === 'failed' ? 'red' : 'dimmed'}>
            {words}
          </Text>
        </div>
        {can('dataset.write') && (
          <Group gap="xs">
            {going ? (
              <Button size="compact-sm" color="red" variant="light" leftSection={<IconPlayerStop size={14} aria-hidden />} onClick={() => void stop()}>
                Stop
              </Button>
            ) : (
              (space.behind || space.status !== 'ready') && (
                <Button size="compact-sm" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={() => void again()}>
                  {space.status === 'ready' ? 'Bring to the newest version' : 'Go on'}
                </Button>
              )
            )}
            <ConfirmButton size="compact-sm" variant="subtle" color="gray" title={`Forget “${space.title}”?`} message="Its vectors go, labels stay. It can be computed again." confirmLabel="Forget it" onConfirm={remove}>
              Forget
            </ConfirmButton>
          </Group>
        )}
      </Group>
      {going && <Progress mt="xs" value={space.stage === 'embed' ? (90 * space.done) / Math.max(space.total, 1) : space.stage === 'arrange' ? 92 : 97} animated aria-label={`${space.title}: computed`} />}
      <ErrorNotice error={error} />
    </Paper>
  )
}
