/** How ground truth comes about, and honeypots. */
import { Anchor, Button, Group, NumberInput, Paper, Select, Slider, Stack, Switch, Text, Title } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { ConfirmButton, notifyDone, notifyError } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { qualitySettingsQuery, useRefresh, type LabelSchema } from '../../data'
import { share } from './figures'

const BASE = '/api/v1/projects/{project}/label-schemas/{label_schema}/quality'
const WAYS: Record<Schemas['QualitySettings']['truth_by'], { label: string; help: string }> = {
  agree: { label: 'Somebody’s annotation, if all agree', help: 'The annotation that agrees best with the others becomes the ground truth, if every two people agree enough.' },
  majority: { label: 'Fused, by majority', help: 'What at least half of the people said; regions of the same thing become one, with the median of their edges.' },
  skill: { label: 'Fused, by skill', help: 'As by majority, but who was right more often counts more. Skill is learnt from all answers whenever the quality is measured.' },
}

export function QualitySettings({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const query = useQuery(qualitySettingsQuery(project, schema.slug))
  return (
    <Stack w="100%" maw={520}>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.data && <Form schema={schema} settings={query.data} />}
    </Stack>
  )
}

function Form({ schema, settings }: { schema: LabelSchema; settings: Schemas['QualitySettings'] }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const path = { project, label_schema: schema.slug }
  const [way, setWay] = useState(settings.truth_by)
  const [enough, setEnough] = useState(Math.round(settings.enough * 100))
  const [every, setEvery] = useState<number | string>(settings.honeypot_share ? Math.round(1 / settings.honeypot_share) : '')
  const [pausing, setPausing] = useState(settings.pause_below !== null)
  const [below, setBelow] = useState(Math.round((settings.pause_below ?? 0.7) * 100))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      await unwrap(api.PUT(`${BASE}/settings`, { params: { path }, body: { truth_by: way, enough: enough / 100, honeypot_share: every === '' ? 0 : 1 / Number(every), pause_below: pausing ? below / 100 : null } }))
      await refresh()
      notifyDone('Saved.')
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Paper p="md" withBorder>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void save()
          }}
        >
          <Stack gap="md">
            <Select label="Ground truth of several people" description={WAYS[way].help} inputWrapperOrder={['label', 'input', 'description']} allowDeselect={false} data={Object.entries(WAYS).map(([value, { label }]) => ({ value, label }))} value={way} onChange={(chosen) => chosen && setWay(chosen as typeof way)} />
            <div>
              <Text size="sm" fw={500} id="quality-enough">
                A person decides where people agree less than {enough} %
              </Text>
              <Slider aria-labelledby="quality-enough" thumbLabel="Agreement from which nobody needs to decide" value={enough} onChange={setEnough} label={(value) => `${value} %`} mt={6} />
            </div>
            <NumberInput label="One honeypot in how many items" description="Items whose answer is known, mixed into what people are given; they cannot tell. Empty: none. The order must be random." placeholder="None" min={2} max={1000} allowDecimal={false} value={every} onChange={setEvery} />
            <Switch label="Pause who answers honeypots badly" checked={pausing} onChange={(event) => setPausing(event.currentTarget.checked)} />
            {pausing && (
              <div>
                <Text size="sm" fw={500} id="quality-below">
                  Below {below} % over their newest 20 (5 at least)
                </Text>
                <Slider aria-labelledby="quality-below" thumbLabel="Score below which somebody is paused" value={below} onChange={setBelow} label={(value) => `${value} %`} mt={6} />
              </div>
            )}
            <ErrorNotice error={error} />
            <Button type="submit" loading={busy} style={{ alignSelf: 'flex-start' }}>
              Save
            </Button>
          </Stack>
        </form>
      </Paper>
      <Honeypots schema={schema} />
    </>
  )
}

function Honeypots({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const path = { project, label_schema: schema.slug }
  const [number, setNumber] = useState<number | string>(20)
  const query = useInfiniteQuery({
    queryKey: [...keys.labelSchemas(project), schema.slug, 'quality', 'honeypots'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }): Promise<Schemas['Page_HoneypotOut_']> => unwrap(api.GET(`${BASE}/honeypots`, { params: { path, query: { cursor: pageParam } } })),
    getNextPageParam: (page) => page.next ?? undefined,
  })
  const add = async () => {
    try {
      const { added } = await unwrap(api.POST(`${BASE}/honeypots`, { params: { path }, body: { number: Number(number) || 1 } }))
      await refresh()
      notifyDone(added === 1 ? 'One more honeypot.' : `${added.toLocaleString()} more honeypots.`)
    } catch (failure) {
      notifyError(failure)
    }
  }
  const rows = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Paper p="md" withBorder>
      <Title order={2} size="h5" mb="xs">
        Honeypots
      </Title>
      <Group align="flex-end" mb="sm">
        <NumberInput label="Draw from what a person decided" min={1} max={10_000} allowDecimal={false} value={number} onChange={setNumber} w={260} />
        <Button variant="default" onClick={() => void add()}>
          Add
        </Button>
      </Group>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.data && rows.length === 0 && (
        <Text size="sm" c="dimmed">
          None yet. Programs can send answers of their own over the API.
        </Text>
      )}
      {rows.map((row) => (
        <Group key={row.item} justify="space-between" wrap="nowrap" py={4}>
          <Anchor size="sm" truncate renderRoot={(props) => <Link to="/p/$project/labels/$schema/items/$item" params={{ project, schema: schema.slug, item: String(row.item) }} {...props} />}>
            {schema.modality === 'table' ? `Row ${row.position.toLocaleString()}` : row.key}
          </Anchor>
          <Group gap="xs" wrap="nowrap">
            <Text size="xs" c="dimmed">
              {row.answers ? `${share(row.score)} of ${row.answers.toLocaleString()} answers` : 'no answers yet'}
            </Text>
            <ConfirmButton size="compact-xs" title={`“${row.key}” is no honeypot any more?`} message="What people scored with it goes too; their annotations stay." confirmLabel="Remove" onConfirm={async () => {
              await unwrap(api.DELETE(`${BASE}/honeypots/{item}`, { params: { path: { ...path, item: row.item } } }))
              await refresh()
            }}>
              Remove
            </ConfirmButton>
          </Group>
        </Group>
      ))}
      {query.hasNextPage && (
        <Button variant="default" size="xs" mt="xs" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          More
        </Button>
      )}
    </Paper>
  )
}
