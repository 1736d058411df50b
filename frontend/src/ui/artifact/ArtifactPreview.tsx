/** What a person sees of an artifact: a table's rows, figures, images, a model card, or plain values. Fetched when mounted. */
import { Box, Button, Group, Modal, ScrollArea, Skeleton, Stack, Table, Text, UnstyledButton } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { bytes, count, number, plural, score } from '@/lib/format'
import { metricName, ranked } from '@/lib/metrics'
import { Chart, type Figure } from '@/ui/chart'
import { ErrorNotice } from '@/ui/ErrorNotice'
import classes from './ArtifactPreview.module.css'
import { asMetric, MetricsView, type MetricsValue } from './MetricsView'

const Markdown = lazy(() => import('./Markdown'))

type Preview = Schemas['TablePreview'] | Schemas['ImagesPreview'] | Schemas['FiguresPreview'] | Schemas['JsonPreview'] | Schemas['CardPreview']
const PAGE = 50

export function downloadUrl(project: string, artifact: string): string {
  return `/api/v1/projects/${encodeURIComponent(project)}/artifacts/${artifact}/download`
}

/** One line on an artifact, from what its kind says of itself: `8,000 rows · 15 columns`. */
export function describe(artifact: Schemas['ArtifactOut']): string {
  const { metadata } = artifact
  const parts: string[] = []
  if (typeof metadata.rows === 'number') parts.push(plural(metadata.rows, 'row'))
  if (Array.isArray(metadata.columns)) parts.push(plural(metadata.columns.length, 'column'))
  if (typeof metadata.count === 'number') parts.push(artifact.kind === 'List' ? `${count(metadata.count)} × ${typeof metadata.of === 'string' ? metadata.of : 'result'}` : plural(metadata.count, artifact.kind === 'Figures' ? 'figure' : 'image'))
  // How many bytes a dozen numbers take tells nobody anything.
  if (artifact.size > 0 && !['Metrics', 'Figures', 'Values', 'List', 'Endpoint', 'ModelVersion'].includes(artifact.kind)) parts.push(bytes(artifact.size))
  return parts.join(' · ')
}

export function ArtifactPreview({ project, artifact }: { project: string; artifact: Schemas['ArtifactOut'] }) {
  const [offset, setOffset] = useState(0)
  const query = useQuery({
    queryKey: [...keys.artifacts(project), artifact.id, 'preview', offset],
    queryFn: () =>
      unwrap(
        api.GET('/api/v1/projects/{project}/artifacts/{artifact_id}/preview', {
          params: { path: { project, artifact_id: artifact.id }, query: { offset, limit: PAGE } },
        }),
      ) as Promise<Preview>,
    // An artifact never changes.
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  })
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Skeleton h={160} aria-label="Loading the preview" />
  return (
    <Stack gap="sm">
      <Shown preview={query.data} kind={artifact.kind} />
      {'total' in query.data && query.data.total > PAGE && (
        <Group justify="space-between">
          <Text size="xs" c="dimmed">
            {count(offset + 1)}–{count(Math.min(offset + PAGE, query.data.total))} of {count(query.data.total)}
          </Text>
          <Group gap="xs">
            <Button size="compact-xs" variant="default" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>
              Previous
            </Button>
            <Button size="compact-xs" variant="default" disabled={offset + PAGE >= query.data.total} onClick={() => setOffset(offset + PAGE)}>
              Next
            </Button>
          </Group>
        </Group>
      )}
    </Stack>
  )
}

export function DownloadLink({ project, artifact }: { project: string; artifact: Schemas['ArtifactOut'] }) {
  return (
    <Button component="a" href={downloadUrl(project, artifact.id)} download size="compact-sm" variant="default" leftSection={<IconDownload size={14} aria-hidden />}>
      Download
    </Button>
  )
}

function Shown({ preview, kind }: { preview: Preview; kind: string }) {
  switch (preview.type) {
    case 'table':
      return <Rows preview={preview} />
    case 'images':
      return <Pictures preview={preview} />
    case 'figures':
      return <Figures figures={preview.figures as FigureValue[]} />
    case 'card':
      return (
        <Box className={classes.prose}>
          <Suspense fallback={<Skeleton h={160} />}>
            <Markdown text={preview.markdown} />
          </Suspense>
        </Box>
      )
    case 'json':
      if (kind === 'List' && preview.value && typeof preview.value === 'object') return <ListView value={preview.value as ListValue} />
      if (kind === 'Metrics' && preview.value && typeof preview.value === 'object') return <MetricsView value={preview.value as MetricsValue} />
      return <Values value={preview.value} />
  }
}

type ListValue = { of?: string; items?: { kind: string; size: number; inline: unknown; metadata: Record<string, unknown> }[] }
const LISTED = 100

/** What the shards of a mapped step gave: how many, and each in a line or, where it is small, whole. */
function ListView({ value }: { value: ListValue }) {
  const items = value.items ?? []
  return (
    <Stack gap="xs">
      <Text size="sm">
        {count(items.length)} × {value.of ?? 'result'}, in the order of the shards
      </Text>
      <ScrollArea.Autosize mah={420} type="auto" viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'Items' }}>
        <Table fz="sm" verticalSpacing={4} aria-label="Items">
          <Table.Tbody>
            {items.slice(0, LISTED).map((item, index) => (
              <Table.Tr key={index}>
                <Table.Td w={48} c="dimmed" style={{ verticalAlign: 'top' }}>
                  {index}
                </Table.Td>
                <Table.Td>{item.inline === null || item.inline === undefined ? describe({ kind: item.kind, size: item.size, metadata: item.metadata } as Schemas['ArtifactOut']) || item.kind : <Item kind={item.kind} value={item.inline} />}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      {items.length > LISTED && (
        <Text size="xs" c="dimmed">
          and {count(items.length - LISTED)} more; the download has all
        </Text>
      )}
    </Stack>
  )
}

/** The numbers of a Metrics in one line; anything else as it is. */
function Item({ kind, value }: { kind: string; value: unknown }) {
  const values = kind === 'Metrics' && typeof value === 'object' && value !== null ? (value as MetricsValue).values : undefined
  if (!values) return <Values value={value} />
  const shown = ranked(values).slice(0, 6).map(([name, one]) => `${metricName(name)} ${score(asMetric(one).value)}`)
  return <Text size="sm">{shown.join(' · ')}</Text>
}

function Rows({ preview }: { preview: Schemas['TablePreview'] }) {
  return (
    <ScrollArea.Autosize mah={420} type="auto" offsetScrollbars viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'Rows' }}>
      <Table stickyHeader highlightOnHover fz="sm" className={classes.rows}>
        <Table.Thead>
          <Table.Tr>
            {preview.columns.map((column) => (
              <Table.Th key={column.name}>
                {column.name}
                <Text size="xs" c="dimmed" fw={400}>
                  {column.type}
                </Text>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {preview.rows.map((row, index) => (
            <Table.Tr key={index}>
              {row.map((cell, at) => (
                <Table.Td key={at} ta={typeof cell === 'number' ? 'right' : undefined}>
                  {cell === null ? <Text span c="dimmed" size="sm">–</Text> : typeof cell === 'number' ? number(cell, 6) : String(cell)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  )
}

type Picture = { url?: string; thumbnail_url?: string; key?: string; label?: string | null }

function Pictures({ preview }: { preview: Schemas['ImagesPreview'] }) {
  const [open, setOpen] = useState<Picture | null>(null)
  const images = preview.images as Picture[]
  return (
    <>
      <div className={classes.grid}>
        {images.map((image, index) => (
          <UnstyledButton key={image.key ?? index} className={classes.tile} onClick={() => setOpen(image)} aria-label={`Open ${image.key ?? 'image'}${image.label ? `, ${image.label}` : ''}`}>
            <img src={image.thumbnail_url ?? image.url} alt="" loading="lazy" />
            {image.label && (
              <Text size="xs" truncate ta="center">
                {image.label}
              </Text>
            )}
          </UnstyledButton>
        ))}
      </div>
      <Modal opened={open !== null} onClose={() => setOpen(null)} title={open?.key} size="lg">
        {open && <img src={open.url} alt={open.label ? `${open.key}: ${open.label}` : (open.key ?? '')} className={classes.large} />}
      </Modal>
    </>
  )
}

export type FigureValue = { title: string; figure: Figure }

export function Figures({ figures }: { figures: FigureValue[] }) {
  return (
    <div className={classes.figures}>
      {figures.map((entry, index) => (
        <section key={index} className={classes.figure} aria-label={entry.title}>
          <Chart figure={{ ...entry.figure, layout: { ...entry.figure.layout, title: undefined } }} title={entry.title} height={tallness(entry.figure)} downloadable />
        </section>
      ))}
    </div>
  )
}

/** As high as its maker asked for (many bars need room), else one height for all. */
function tallness(figure: Figure): number {
  const asked = figure.layout?.height
  // A legend of many classes takes lines of its own from the drawing.
  const legend = figure.data.length > 4 ? Math.ceil(figure.data.length / 2) * 16 : 0
  return typeof asked === 'number' ? Math.min(900, Math.max(260, asked)) : 320 + Math.min(160, legend)
}

/** Any JSON value as an indented list of names and values. */
function Values({ value }: { value: unknown }) {
  if (value === null || typeof value !== 'object') return <Text size="sm">{typeof value === 'number' ? number(value, 6) : String(value)}</Text>
  return (
    <dl className={classes.values}>
      {Object.entries(value).map(([name, inner]) => (
        <Box key={name}>
          <dt>{name}</dt>
          <dd>
            <Values value={inner} />
          </dd>
        </Box>
      ))}
    </dl>
  )
}
