/** All items as points, alike ones close together: choose some with a line, or a cluster from the list, and label them at once. */
import { Group, SegmentedControl, Select, Skeleton, Stack, Text, useComputedColorScheme } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useProjectSlug } from '@/api/me'
import { plural } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import type { LabelSchema } from '../data'
import { chosenQuery, clustersQuery, pictureOf, pointsQuery, type Colouring, type Space } from './data'
import { colorsOf, Scatter, type Mode } from './Scatter'
import { Selection } from './Selection'
import { Tiles, wordsOf } from './Tiles'
import classes from './explore.module.css'

const COLOURS = [
  { value: 'cluster', label: 'Cluster' },
  { value: 'label', label: 'Label' },
  { value: 'annotator', label: 'Annotator' },
  { value: 'suggested', label: 'Suggested label' },
]
/** As many are shown and labelled at once. */
const MOST = 2_000

export function MapView({ space, schema, onLike }: { space: Space; schema: LabelSchema; onLike: (like: { like: string }) => void }) {
  const project = useProjectSlug()
  const scheme = useComputedColorScheme('light')
  const pictures = schema.modality === 'images'
  const [by, setBy] = useState<Colouring>('label')
  const [mode, setMode] = useState<Mode>('lasso')
  const [drawn, setDrawn] = useState<number[]>([])
  const [cluster, setCluster] = useState<number | null>(null)
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set())
  const where = { dataset: schema.dataset, id: space.id, version: space.version }
  const points = useQuery({ ...pointsQuery(project, where, schema.slug, by), placeholderData: keepPreviousData })
  const clusters = useQuery(clustersQuery(project, where, schema.slug))
  const asked = useMemo(() => (cluster !== null ? { ids: [], cluster } : drawn.length > 0 ? { ids: drawn.slice(0, MOST) } : null), [cluster, drawn])
  const found = useQuery({ ...chosenQuery(project, where, schema.slug, asked), placeholderData: keepPreviousData })
  const shown = useMemo(() => (asked ? (found.data ?? []) : []), [asked, found.data])
  const marked = useMemo(() => new Set(shown.map((one) => one.id).filter((id) => !left.has(id))), [shown, left])
  const chosen = shown.filter((one) => marked.has(one.id))
  const take = (ids: number[], add: boolean) => {
    setCluster(null)
    setLeft(new Set())
    setDrawn(add ? [...new Set([...drawn, ...ids])] : ids)
  }
  const takeCluster = (number: number) => {
    setDrawn([])
    setLeft(new Set())
    setCluster(cluster === number ? null : number)
  }
  const colors = colorsOf(scheme, points.data?.names.length ?? 0)
  return (
    <Stack gap="md">
      <Group gap="sm" align="flex-end">
        <Select label="Colour" data={COLOURS} value={by} allowDeselect={false} onChange={(value) => value && setBy(value as Colouring)} w={170} />
        <SegmentedControl aria-label="What the pointer does" value={mode} onChange={(value) => setMode(value as Mode)} data={[{ value: 'lasso', label: 'Lasso' }, { value: 'box', label: 'Box' }, { value: 'move', label: 'Move' }]} />
        <Text size="xs" c="dimmed" maw={380}>
          Draw around points to choose them, with Shift to add. The wheel zooms, a double click shows all. Without a pointer: choose a cluster below.
        </Text>
      </Group>
      <ErrorNotice error={points.error ?? clusters.error ?? found.error} onRetry={() => void Promise.all([points.refetch(), clusters.refetch()])} />
      <div className={classes.mapOf}>
        <Stack gap="xs">
          {points.data ? <Scatter points={points.data} chosen={marked} mode={mode} onChoose={take} label={`A map of ${plural(points.data.ids.length, 'item')}, coloured by ${by}`} /> : <Skeleton h={420} />}
          <Group gap="sm" aria-label="Colours" role="list">
            {points.data?.names.slice(0, 24).map((name, n) => (
              <Group key={name} gap={5} wrap="nowrap" role="listitem">
                <span className={classes.swatch} style={{ background: colors[n] }} />
                <Text size="xs">{by === 'cluster' ? `Cluster ${Number(name) + 1}` : name || 'Somebody'}</Text>
              </Group>
            ))}
            {points.data && points.data.values.some((value) => value < 0) && (
              <Text size="xs" c="dimmed" role="listitem">
                grey: {by === 'suggested' ? 'no suggestion' : 'no label that you may see'}
              </Text>
            )}
          </Group>
        </Stack>
        <Stack gap="sm">
          <Selection schema={schema} chosen={chosen} onDone={() => take([], false)} />
          {asked && found.isPending && <Skeleton h={200} />}
          {shown.length > 0 ? (
            <Tiles label="Chosen items" dataset={schema.dataset} space={space.id} pictures={pictures} items={shown} chosen={marked} onChoose={(next) => setLeft(new Set(shown.map((one) => one.id).filter((id) => !next.has(id))))} onOpen={(item) => onLike({ like: item.digest })} />
          ) : (
            !asked && <Text size="sm">Choose points, and they appear here.</Text>
          )}
        </Stack>
      </div>
      <div>
        <Text fw={600} size="sm" mb={6} id="explore-clusters">
          Clusters
        </Text>
        <div className={classes.clusters} role="group" aria-labelledby="explore-clusters">
          {clusters.data?.map((one) => (
            <button key={one.number} type="button" className={classes.cluster} aria-pressed={cluster === one.number} onClick={() => takeCluster(one.number)}>
              {pictures ? one.typical.slice(0, 4).map((item) => <img key={item.id} src={pictureOf(project, schema.dataset, space.id, item.digest)} alt="" />) : <Text size="xs" maw={180} truncate>{one.typical[0] ? wordsOf(one.typical[0]) : ''}</Text>}
              <Text size="xs">
                Cluster {one.number + 1}, {plural(one.size, 'item')}
              </Text>
            </button>
          ))}
        </div>
      </div>
    </Stack>
  )
}
