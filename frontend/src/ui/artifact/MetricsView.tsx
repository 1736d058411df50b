/** Metrics of an evaluation: each value with its interval drawn, then the same by class. */
import { Box, ScrollArea, Stack, Table, Text } from '@mantine/core'
import { count, humanise, number, plural, score } from '@/lib/format'
import { byImportance, metricMeaning, metricName, ranked } from '@/lib/metrics'
import classes from './ArtifactPreview.module.css'

export type MetricValue = { value: number | null; low?: number | null; high?: number | null }
type Cells = Record<string, MetricValue | number | null>
export type MetricsValue = {
  task?: string
  rows?: number
  boxes?: number
  values?: Cells
  per_class?: Record<string, Cells>
  positive_label?: string
  threshold?: number
  groups?: { column?: string; groups?: ({ group: string; rows: number } & Record<string, unknown>)[] }
}

export function asMetric(entry: MetricValue | number | null | undefined): MetricValue {
  return entry === null || entry === undefined || typeof entry === 'number' ? { value: entry ?? null } : entry
}

/** How many cases a class has comes beside its name, not among what the model is judged by. */
const SIZE = 'support'

/** What is counted where a model finds things instead of choosing a class, by task. */
const FOUND: Record<string, { one: string; many: string; where: string; each: string }> = {
  detection: { one: 'box', many: 'boxes', where: 'on', each: 'image' },
  spans: { one: 'span', many: 'spans', where: 'in', each: 'text' },
}

export function MetricsView({ value }: { value: MetricsValue }) {
  const values = ranked(value.values ?? {})
  const byClass = Object.entries(value.per_class ?? {})
  const groups = value.groups?.groups ?? []
  const said = FOUND[value.task ?? '']
  const there = value.boxes ?? byClass.reduce((sum, [, cells]) => sum + (asMetric(cells[SIZE]).value ?? 0), 0)
  const about = [
    value.rows === undefined ? '' : said ? `Measured on ${plural(there, said.one, said.many)} ${said.where} ${plural(value.rows, said.each)}.` : `Measured on ${plural(value.rows, 'row')}.`,
    value.task === 'detection' && value.threshold !== undefined ? `Precision, recall and F1 are of boxes from a score of ${number(value.threshold)} on.` : '',
    value.positive_label === undefined ? '' : `A case is “${value.positive_label}”${value.threshold === undefined ? '' : `, said from a probability of ${number(value.threshold)} on`}.`,
  ].filter(Boolean)
  return (
    <Stack gap="md">
      {about.length > 0 && (
        <Text size="sm" c="dimmed">
          {about.join(' ')}
        </Text>
      )}
      {values.length > 0 && <MetricTable values={Object.fromEntries(values)} />}
      {byClass.length > 0 && (
        <ByRow
          title={said ? 'By label' : 'By class'}
          first={said ? 'Label' : 'Class'}
          counted={said ? humanise(said.many) : 'Rows'}
          rows={byClass.map(([name, cells]) => ({ name, count: asMetric(cells[SIZE]).value, cells }))}
        />
      )}
      {groups.length > 0 && (
        <ByRow
          title={`By ${value.groups?.column || 'group'}`}
          first={humanise(value.groups?.column || 'Group')}
          rows={groups.map(({ group, rows, ...cells }) => ({ name: group, count: rows, cells: cells as Cells }))}
        />
      )}
    </Stack>
  )
}

/** The same metrics for each class or group. */
function ByRow({ title, first, counted = 'Rows', rows }: { title: string; first: string; counted?: string; rows: { name: string; count: number | null; cells: Cells }[] }) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.cells)))].filter((name) => name !== SIZE).sort(byImportance)
  return (
    <section aria-label={title}>
      <Text size="sm" fw={600} mb={4}>
        {title}
      </Text>
      <ScrollArea.Autosize mah={420} type="auto" offsetScrollbars="present" viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': title }}>
        <Table stickyHeader fz="sm" verticalSpacing={6} className={`${classes.rows} ${classes.many}`}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{first}</Table.Th>
              <Table.Th ta="right">{counted}</Table.Th>
              {columns.map((column) => (
                <Table.Th key={column} ta="right" title={metricMeaning(column) || undefined}>
                  {metricName(column)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.name}>
                <Table.Td fw={500}>{row.name}</Table.Td>
                <Table.Td ta="right">{row.count === null ? '–' : count(row.count)}</Table.Td>
                {columns.map((column) => {
                  const { value, low, high } = asMetric(row.cells[column])
                  return (
                    <Table.Td key={column} ta="right" title={low !== null && low !== undefined && high !== null && high !== undefined ? `95 % interval: ${score(low)} to ${score(high)}` : undefined}>
                      {score(value)}
                    </Table.Td>
                  )
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </section>
  )
}

export function MetricTable({ values }: { values: Cells }) {
  const between = Object.values(values).some((entry) => typeof asMetric(entry).low === 'number')
  const told = Object.keys(values).some((name) => metricMeaning(name))
  return (
    <Table fz="sm" verticalSpacing={6} className={`${classes.rows} ${classes.metrics}`}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Metric</Table.Th>
          <Table.Th ta="right">Value</Table.Th>
          {between && <Table.Th ta="right">95 % interval</Table.Th>}
          {told && <Table.Th visibleFrom="sm">What it says</Table.Th>}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {ranked(values).map(([name, entry]) => {
          const { value, low, high } = asMetric(entry)
          return (
            <Table.Tr key={name}>
              <Table.Td>{metricName(name)}</Table.Td>
              <Table.Td ta="right" fw={600}>
                {score(value)}
              </Table.Td>
              {between && (
                <Table.Td ta="right">
                  {typeof low === 'number' && typeof high === 'number' && (
                    <Box>
                      <Text span size="sm" c="dimmed">
                        {score(low)} – {score(high)}
                      </Text>
                      {value !== null && low >= 0 && high <= 1 && (
                        <Box className={classes.interval} aria-hidden>
                          <span style={{ left: `${low * 100}%`, width: `${Math.max(0.5, (high - low) * 100)}%` }} />
                        </Box>
                      )}
                    </Box>
                  )}
                </Table.Td>
              )}
              {told && (
                <Table.Td visibleFrom="sm" c="dimmed" className={classes.meaning}>
                  {metricMeaning(name)}
                </Table.Td>
              )}
            </Table.Tr>
          )
        })}
      </Table.Tbody>
    </Table>
  )
}
