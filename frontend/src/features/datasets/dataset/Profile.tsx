import { Badge, Group, Loader, Paper, Progress, SegmentedControl, SimpleGrid, Skeleton, Stack, Text, TextInput, Title, Tooltip } from '@mantine/core'
import { IconChartHistogram, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { count, date, duration, number, percent, plural } from '@/lib/format'
import { Chart, MiniBars, ShareBars, type Figure } from '@/ui/chart'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { MODALITY, TypeMark } from '../look'
import classes from './Profile.module.css'

type ProfileOut = Schemas['ProfileOut']
type ColumnProfile = Schemas['ColumnProfile']

/** What a version looks like in numbers, made once in a worker. */
export function Profile({ project, dataset, version }: { project: string; dataset: Schemas['DatasetOut']; version: Schemas['DatasetVersionOut'] }) {
  const profile = useQuery({
    queryKey: [...keys.datasets(project), dataset.slug, 'profile', version.number, version.profile_status],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/profile', { params: { path: { project, dataset: dataset.slug, number: version.number } } })),
    refetchInterval: (query) => (query.state.data && ['queued', 'running'].includes(query.state.data.status) ? 1500 : false),
  })
  const p = profile.data
  if (profile.isPending) {
    return (
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} aria-busy="true">
        {[0, 1, 2, 3, 4, 5].map((i) => (
          <Skeleton key={i} h={170} radius="md" />
        ))}
      </SimpleGrid>
    )
  }
  if (profile.error || !p) return <ErrorNotice error={profile.error} onRetry={() => void profile.refetch()} />
  if (p.status === 'queued' || p.status === 'running') {
    return (
      <EmptyState icon={IconChartHistogram} title={p.status === 'queued' ? 'The profile waits for a worker' : 'The profile is being made'}>
        <Group justify="center" gap="xs">
          <Loader size={16} aria-hidden /> It appears here by itself.
        </Group>
      </EmptyState>
    )
  }
  if (p.status === 'failed') return <ErrorNotice title="The profile could not be made" error={p.error || 'The worker stopped.'} />
  // The generator writes pairs of an answer as plain lists; the schema says they are pairs.
  return <Body profile={p as ProfileOut} modality={dataset.modality} label={version.label_column} />
}

function Body({ profile, modality, label }: { profile: ProfileOut; modality: Schemas['DatasetOut']['modality']; label: string | null }) {
  const [order, setOrder] = useState<'given' | 'missing'>('given')
  const [find, setFind] = useState('')
  const columns = useMemo(() => {
    const kept = (profile.columns ?? []).filter((c) => c.name.toLowerCase().includes(find.toLowerCase()))
    return order === 'missing' ? [...kept].sort((a, b) => b.missing - a.missing) : kept
  }, [profile.columns, order, find])
  const rows = profile.rows ?? 0
  const cells = rows * (profile.columns?.length ?? 0)
  const missing = (profile.columns ?? []).reduce((sum, c) => sum + c.missing, 0)
  const classesOf = profile.classes ?? []
  const items = MODALITY[modality].items
  return (
    <Stack gap="lg">
      <dl className={classes.tiles}>
        <Tile name={items} value={count(rows)} />
        {modality === 'table' && <Tile name="columns" value={count(profile.columns?.length ?? 0)} />}
        {modality === 'table' && <Tile name="cells missing" value={percent(cells ? missing / cells : 0)} warn={cells > 0 && missing / cells > 0.05} />}
        <Tile name={`duplicate ${items}`} value={count(profile.duplicates ?? 0)} warn={(profile.duplicates ?? 0) > 0} />
        {classesOf.length > 0 && <Tile name="classes" value={count(classesOf.length)} />}
      </dl>
      {classesOf.length > 0 && (
        <Paper p="md" component="section" aria-label="Class balance">
          <Group justify="space-between" mb="xs">
            <Title order={2} size="h3">
              Class balance{label && modality === 'table' ? ` of ${label}` : ''}
            </Title>
            <Imbalance counts={classesOf.map(([, n]) => n)} />
          </Group>
          {classesOf.length <= 12 ? (
            <ShareBars total={classesOf.reduce((s, [, n]) => s + n, 0)} rows={classesOf.map(([name, n]) => ({ label: name, n, text: `${count(n)} · ${percent(rows ? n / rows : 0)}` }))} />
          ) : (
            <Chart height={260} alt={`Class balance of ${classesOf.length} classes, from ${Math.max(...classesOf.map(([, n]) => n))} down to ${Math.min(...classesOf.map(([, n]) => n))}`} figure={barsOf(classesOf)} />
          )}
        </Paper>
      )}
      {profile.images && <Images images={profile.images} />}
      {profile.media && <Media media={profile.media} />}
      {columns.length + find.length > 0 && modality === 'table' && (
        <Stack gap="sm">
          <Group justify="space-between" gap="sm">
            <Title order={2} size="h3">
              Columns
            </Title>
            <Group gap="sm">
              <TextInput size="xs" leftSection={<IconSearch size={14} aria-hidden />} placeholder="Find a column" aria-label="Find a column" value={find} onChange={(e) => setFind(e.currentTarget.value)} />
              <SegmentedControl
                size="xs"
                aria-label="Order of the columns"
                value={order}
                onChange={(value) => setOrder(value as typeof order)}
                data={[
                  { value: 'given', label: 'As in the table' },
                  { value: 'missing', label: 'Most missing first' },
                ]}
              />
            </Group>
          </Group>
          <div className={classes.columns}>
            {columns.map((c) => (
              <ColumnCard key={c.name} column={c} rows={rows} />
            ))}
          </div>
          {columns.length === 0 && <Text c="dimmed">No column of that name.</Text>}
        </Stack>
      )}
    </Stack>
  )
}

function Tile({ name, value, warn = false }: { name: string; value: string; warn?: boolean }) {
  return (
    <div className={classes.tile} data-warn={warn || undefined}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function Imbalance({ counts }: { counts: number[] }) {
  const most = Math.max(...counts)
  const least = Math.max(1, Math.min(...counts))
  const ratio = most / least
  if (ratio < 1.5) return <Badge color="green">balanced</Badge>
  return (
    <Tooltip label="The largest class compared with the smallest">
      <Badge color={ratio > 10 ? 'orange' : 'gray'} tabIndex={0}>
        {number(ratio, 2)} : 1
      </Badge>
    </Tooltip>
  )
}

function ColumnCard({ column: c, rows }: { column: ColumnProfile; rows: number }) {
  const share = rows ? c.missing / rows : 0
  const top = c.top_values ?? []
  const quantiles = c.quantiles ?? {}
  const facts: [string, string][] = []
  const numeric = c.type === 'integer' || c.type === 'number'
  if (numeric && c.mean != null) facts.push(['mean', number(c.mean)], ['std', number(c.std)])
  if (numeric && quantiles['0.5'] !== undefined) facts.push(['median', number(quantiles['0.5'])])
  if ((numeric || c.type === 'datetime') && c.minimum != null) facts.push(['min', value(c.minimum)], ['max', value(c.maximum)])
  // Moments in time are binned by their seconds since 1970.
  const edge = (v: number | undefined) => (c.type === 'datetime' && v !== undefined ? date(new Date(v * 1000).toISOString()) : number(v))
  return (
    <Paper component="section" aria-label={c.name} className={classes.card}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text fw={600} size="sm" truncate title={c.name}>
          {c.name}
        </Text>
        <TypeMark type={c.type} withLabel />
      </Group>
      <Group gap={6} wrap="nowrap" my={4}>
        <Progress value={share * 100} size="xs" color={share > 0.2 ? 'orange' : 'yellow'} flex={1} aria-label={`${c.name}: ${percent(share)} missing`} />
        <Text size="xs" c="dimmed" className="tabular">
          {c.missing ? `${percent(share)} missing` : 'none missing'}
        </Text>
      </Group>
      {c.histogram ? (
        <div className={classes.plot}>
          <MiniBars
            height={64}
            counts={c.histogram.counts}
            label={`Histogram of ${c.name} from ${edge(c.histogram.edges[0])} to ${edge(c.histogram.edges.at(-1))}`}
            titles={c.histogram.counts.map((n, i) => `${edge(c.histogram!.edges[i])} to ${edge(c.histogram!.edges[i + 1])}: ${count(n)}`)}
          />
          <Group justify="space-between">
            <Text size="xs" c="dimmed" className="tabular">
              {edge(c.histogram.edges[0])}
            </Text>
            <Text size="xs" c="dimmed" className="tabular">
              {edge(c.histogram.edges.at(-1))}
            </Text>
          </Group>
        </div>
      ) : (
        <ShareBars total={rows} rows={top.slice(0, 5).map(([name, n]) => ({ label: name, n, text: percent(rows ? n / rows : 0) }))} />
      )}
      <Text size="xs" c="dimmed" mt={6} className="tabular">
        {c.distinct_is_estimate ? 'about ' : ''}
        {plural(c.distinct, 'value')}
        {facts.map(([name, text]) => ` · ${name} ${text}`).join('')}
      </Text>
    </Paper>
  )
}

function value(v: string | number | null | undefined): string {
  return typeof v === 'number' ? number(v) : String(v ?? '–').replace('T', ' ').replace(/ 00:00:00.*$/, '').slice(0, 24)
}

function Images({ images }: { images: NonNullable<ProfileOut['images']> }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      {(['width', 'height'] as const).map((side) => (
        <Paper key={side} p="md">
          <Chart
            title={side === 'width' ? 'Width in pixels' : 'Height in pixels'}
            height={200}
            alt={`Histogram of image ${side} from ${number(images[side].edges[0])} to ${number(images[side].edges.at(-1))} pixels`}
            figure={histogramOf(images[side])}
          />
        </Paper>
      ))}
      <Paper p="md" component="section" aria-label="Formats">
        <Title order={2} size="h4" mb="xs">
          Formats and colours
        </Title>
        <Group gap="xs">
          {[...Object.entries(images.formats), ...Object.entries(images.modes)].map(([name, n]) => (
            <Badge key={name} color="gray">
              {name}: {count(n)}
            </Badge>
          ))}
        </Group>
      </Paper>
    </SimpleGrid>
  )
}

function Media({ media }: { media: NonNullable<ProfileOut['media']> }) {
  const known = media.duration.counts.length > 0
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      {known && (
        <Paper p="md">
          <Chart title="Length in seconds" height={200} alt={`Histogram of the length from ${number(media.duration.edges[0])} to ${number(media.duration.edges.at(-1))} seconds`} figure={histogramOf(media.duration)} />
        </Paper>
      )}
      <Paper p="md" component="section" aria-label="Length and coding">
        <Title order={2} size="h4" mb="xs">
          Length and coding
        </Title>
        <Stack gap="xs">
          <Text size="sm">
            {known ? `${duration(media.seconds)} in all` : 'The length is not said in the files'}
            {known && media.unknown > 0 ? `; of ${plural(media.unknown, 'file')} the length is unknown` : ''}
          </Text>
          <Group gap="xs">
            {[
              ...Object.entries(media.codecs),
              ...Object.entries(media.channels).map(([n, many]): [string, number] => [n === '1' ? 'mono' : n === '2' ? 'stereo' : `${n} channels`, many]),
              ...Object.entries(media.sample_rates).map(([rate, many]): [string, number] => [`${number(Number(rate) / 1000)} kHz`, many]),
            ].map(([name, n]) => (
              <Badge key={name} color="gray" tt="none">
                {name}: {count(n)}
              </Badge>
            ))}
          </Group>
        </Stack>
      </Paper>
    </SimpleGrid>
  )
}

function histogramOf(h: Schemas['Histogram']): Figure {
  const middles = h.counts.map((_, i) => ((h.edges[i] ?? 0) + (h.edges[i + 1] ?? 0)) / 2)
  return { data: [{ type: 'bar', x: middles, y: h.counts, width: h.counts.map((_, i) => ((h.edges[i + 1] ?? 0) - (h.edges[i] ?? 0)) * 0.94) }], layout: { showlegend: false } }
}

function barsOf(pairs: [string, number][]): Figure {
  return { data: [{ type: 'bar', x: pairs.map(([name]) => name), y: pairs.map(([, n]) => n) }], layout: { showlegend: false, xaxis: { type: 'category' } } }
}
