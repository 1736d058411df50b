/** Items that are the same, or nearly: keep one of each group and set the others aside. */
import { Button, Group, Paper, Radio, Select, Skeleton, Stack, Text } from '@mantine/core'
import { IconCopyOff } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { plural } from '@/lib/format'
import { ConfirmButton, notifyDone, notifyError, notifyUndo } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useRefresh, type LabelSchema } from '../data'
import { duplicatesQuery, pictureOf, type Space } from './data'
import { wordsOf } from './Tiles'
import classes from './explore.module.css'

const SCHEMA = '/api/v1/projects/{project}/label-schemas/{label_schema}'
const NEAR = [
  { value: '0', label: 'Exactly the same' },
  { value: '0.002', label: 'Hardly to be told apart' },
  { value: '0.01', label: 'Very alike' },
  { value: '0.03', label: 'Alike' },
]

export function Duplicates({ schema, space }: { schema: LabelSchema; space: Space }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const [distance, setDistance] = useState('0.002')
  const query = useQuery({ ...duplicatesQuery(project, schema.slug, space.id, Number(distance)), placeholderData: keepPreviousData })
  const found = query.data
  const path = { project, label_schema: schema.slug }
  const aside = async (items: number[]) => {
    try {
      const made = await unwrap(api.POST(`${SCHEMA}/aside`, { params: { path }, body: { items } }))
      await refresh()
      notifyUndo(`${plural(made.count, 'item')} set aside.`, async () => {
        await unwrap(api.POST(`${SCHEMA}/bulks/{bulk_id}/undo`, { params: { path: { ...path, bulk_id: made.id } } }))
        await refresh()
        notifyDone('They are in the queue again.')
      })
    } catch (failure) {
      notifyError(failure)
    }
  }
  const spare = found?.groups.flatMap((group) => group.items.slice(1).map((item) => item.item)) ?? []
  return (
    <Stack gap="md">
      <Group align="flex-end" justify="space-between">
        <Select label="How alike" data={NEAR} value={distance} allowDeselect={false} onChange={(value) => value && setDistance(value)} w={230} />
        {can('label.manage') && spare.length > 0 && (
          <ConfirmButton variant="default" title={`Set ${plural(spare.length, 'item')} aside?`} message="The first of each group that is shown stays in the queue. What was said of the others is kept, and they can be brought back." confirmLabel="Set aside" onConfirm={() => aside(spare)}>
            Keep the first of each
          </ConfirmButton>
        )}
      </Group>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={160} />}
      {found && found.total > 0 && (
        <Text size="sm" role="status">
          {`${plural(found.total, 'group')}; ${plural(found.spare, 'item')} would go if each kept one.${found.total > found.groups.length ? ` The ${found.groups.length} largest are shown.` : ''}`}
        </Text>
      )}
      {found?.total === 0 && <EmptyState compact icon={IconCopyOff} title="No duplicates of this kind" />}
      {found?.groups.map((group) => (
        <One key={group.items.map((item) => item.item).join()} schema={schema} space={space} group={group} onAside={aside} />
      ))}
    </Stack>
  )
}

function One({ schema, space, group, onAside }: { schema: LabelSchema; space: Space; group: Schemas['DuplicateGroupOut']; onAside: (items: number[]) => Promise<void> }) {
  const project = useProjectSlug()
  const can = useCan()
  const [kept, setKept] = useState(String(group.items[0]?.item))
  const others = group.items.map((one) => one.item).filter((item) => String(item) !== kept)
  return (
    <Paper withBorder p="sm">
      <Radio.Group value={kept} onChange={setKept} label={`${plural(group.count, 'item')}, ${group.distance === 0 ? 'the same' : `at most ${group.distance.toFixed(4)} apart`}: which one stays?`}>
        <Group gap="sm" mt="xs" align="flex-end">
          {group.items.map((one) => (
            <Radio
              key={one.item}
              value={String(one.item)}
              disabled={!can('label.manage')}
              label={
                <Stack gap={2} w={schema.modality === 'images' ? 96 : 220}>
                  <div className={classes.picture}>{schema.modality === 'images' ? <img src={pictureOf(project, schema.dataset, space.id, one.digest)} alt="" data-tiny /> : <div className={classes.words}>{wordsOf(one).slice(0, 120)}</div>}</div>
                  <Text size="xs" truncate>
                    {one.label ? `${one.label} · ` : ''}
                    {one.key.split('/').pop()}
                  </Text>
                </Stack>
              }
            />
          ))}
          {can('label.manage') && (
            <Button size="xs" variant="default" disabled={others.length === 0} onClick={() => void onAside(others)}>
              Set {others.length === 1 ? 'the other' : `${others.length} others`} aside
            </Button>
          )}
        </Group>
      </Radio.Group>
    </Paper>
  )
}
