/** Labels that are probably wrong, one after the other: keep, relabel or let a reviewer look; by keys. */
import { Alert, Anchor, Badge, Button, Group, Kbd, Paper, Select, Skeleton, Stack, Text } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { IconCheck, IconChecks, IconEye, IconReplace, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, percent, plural } from '@/lib/format'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useRefresh, type LabelSchema } from '../data'
import { doubtListQuery, doubtsQuery, pictureOf, type Doubt, type Space } from './data'
import classes from './explore.module.css'

const BASE = '/api/v1/projects/{project}/label-schemas/{label_schema}/doubts'

export function Doubts({ schema, space }: { schema: LabelSchema; space: Space }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const now = useQuery(doubtsQuery(project, schema.slug))
  const list = useQuery(doubtListQuery(project, schema.slug, now.data?.check?.checked_at))
  const path = { project, label_schema: schema.slug }
  const look = async () => {
    setBusy(true)
    setError(null)
    try {
      await unwrap(api.POST(BASE, { params: { path }, body: { space: space.id } }))
      await refresh()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const check = now.data?.check
  const going = check?.status === 'queued' || check?.status === 'running'
  if (now.isPending) return <Skeleton h={200} />
  if (now.data && now.data.question === null) return <Alert color="blue">Label errors are looked for in questions with one choice, and this schema asks none. For boxes, regions and texts it is not offered.</Alert>
  const first = list.data?.[0]
  return (
    <Stack gap="md">
      <ErrorNotice error={now.error ?? list.error ?? error} />
      <Group gap="md" justify="space-between" align="flex-start">
        <Text size="sm" role="status" flex="1 1 300px" maw={820}>
          {going
            ? 'Looking through the labels …'
            : check?.status === 'failed'
              ? check.message
              : check
                ? `${plural(check.checked, 'label')} looked at ${ago(check.checked_at)}: a model of the others agrees with ${percent(check.agree, 1)}. By its estimate about ${plural(check.expected, 'label')} ${check.expected === 1 ? 'is' : 'are'} wrong. ${decided(now.data)}`
                : 'Each label is compared with what a model of all others would say. What it firmly contradicts is shown here, the surest first.'}
        </Text>
        {can('label.review') && (
          <Button variant={check ? 'default' : 'filled'} size="xs" loading={busy || going} leftSection={<IconSearch size={15} aria-hidden />} onClick={() => void look()}>
            {check ? 'Look again' : 'Look for label errors'}
          </Button>
        )}
      </Group>
      {!going && check?.status === 'ready' && list.data && !first && <EmptyState compact icon={IconChecks} title="Nothing to decide" />}
      {first && now.data && <One key={first.id} schema={schema} space={space} doubt={first} choices={now.data.choices} />}
    </Stack>
  )
}

/** “1 to decide; 3 kept, 2 relabelled.” */
function decided(now: { open: number; kept: number; relabelled: number; review: number } | undefined): string {
  if (!now) return ''
  const done = [
    [now.kept, 'kept'],
    [now.relabelled, 'relabelled'],
    [now.review, 'sent to review'],
  ] as const
  const words = done.filter(([count]) => count > 0).map(([count, word]) => `${count.toLocaleString()} ${word}`)
  return `${now.open.toLocaleString()} to decide${words.length > 0 ? `; ${words.join(', ')}` : ''}.`
}

function One({ schema, space, doubt, choices }: { schema: LabelSchema; space: Space; doubt: Doubt; choices: string[] }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const [label, setLabel] = useState(doubt.suggested)
  const [busy, setBusy] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const decide = async (decision: 'kept' | 'relabelled' | 'review') => {
    if (busy || !can('label.review')) return
    setBusy(decision)
    setError(null)
    try {
      await unwrap(api.POST(`${BASE}/{doubt}`, { params: { path: { project, label_schema: schema.slug, doubt: doubt.id } }, body: { decision, label: decision === 'relabelled' ? label : null } }))
      await refresh()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(null)
    }
  }
  useHotkeys([
    ['k', () => void decide('kept')],
    ['r', () => void decide('relabelled')],
    ['s', () => void decide('review')],
  ])
  return (
    <Paper withBorder p="md" role="region" aria-label="The label in doubt">
      <div className={classes.doubt}>
        <div className={`${classes.picture} ${classes.large}`}>
          {schema.modality === 'images' ? <img src={pictureOf(project, schema.dataset, space.id, doubt.digest)} alt={doubt.key} data-tiny /> : <div className={classes.words}>{Object.values(doubt.data).map(String).join(' · ') || doubt.key}</div>}
        </div>
        <Stack gap="sm">
          <Group gap="xs">
            <Text size="sm">Labelled</Text>
            <Badge color="red" size="lg">
              {doubt.given}
            </Badge>
            <Text size="sm">probably is</Text>
            <Badge color="green" size="lg">
              {doubt.suggested}
            </Badge>
          </Group>
          <Text size="sm" c="dimmed">
            by {doubt.author?.name || doubt.author?.email || doubt.author_name || 'a model'} · the model finds “{doubt.suggested}” likelier, by {percent(1 - 2 * doubt.score, 0)} ·{' '}
            <Anchor size="sm" underline="always" renderRoot={(props) => <Link to="/p/$project/labels/$schema/items/$item" params={{ project, schema: schema.slug, item: String(doubt.item) }} {...props} />}>
              {schema.modality === 'table' ? `Row ${doubt.position}` : doubt.key}
            </Anchor>
          </Text>
          {can('label.review') && (
            <>
              <Select label="Right is" w={200} size="xs" allowDeselect={false} searchable data={choices} value={label} onChange={(value) => value && setLabel(value)} />
              <Group gap="xs">
                <Button loading={busy === 'relabelled'} leftSection={<IconReplace size={16} aria-hidden />} rightSection={<Kbd size="xs" aria-hidden>R</Kbd>} onClick={() => void decide('relabelled')}>
                  Relabel “{label}”
                </Button>
                <Button variant="default" loading={busy === 'kept'} leftSection={<IconCheck size={16} aria-hidden />} rightSection={<Kbd size="xs" aria-hidden>K</Kbd>} onClick={() => void decide('kept')}>
                  Keep “{doubt.given}”
                </Button>
                <Button variant="default" loading={busy === 'review'} leftSection={<IconEye size={16} aria-hidden />} rightSection={<Kbd size="xs" aria-hidden>S</Kbd>} onClick={() => void decide('review')}>
                  Send to review
                </Button>
              </Group>
            </>
          )}
          <ErrorNotice error={error} />
        </Stack>
      </div>
    </Paper>
  )
}
