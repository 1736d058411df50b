/** Metrics of an evaluation: each value with its interval drawn, then the same by class. */
import { Box, ScrollArea, Stack, Table, Text } from '@mantine/core'
import { number } from '@/lib/format'
import { byImportance, metricName, ranked } from '@/lib/metrics'
import classes from './ArtifactPreview.module.css'

export type MetricValue = { value: number | null; low?: number | null; high?: number | null }
export type MetricsValue = { task?: string; values?: Record<string, MetricValue | number | null>; per_class?: Record<string, Record<string, number | null>> }

export function asMetric(entry: MetricValue | number | null | undefined): MetricValue {
  return entry === null || entry === undefined || typeof entry === 'number' ? { value: entry ?? null } : entry
}

export function MetricsView({ value }: { value: MetricsValue }) {
  const values = ranked(value.values ?? {})
  const perClass = Object.entries(value.per_class ?? {})
  const columns = [...new Set(perClass.flatMap(([, row]) => Object.keys(row)))].sort(byImportance)
  return (
    <Stack gap="md">
      {values.length > 0 && <MetricTable values={Object.fromEntries(values)} />}
      {perClass.length > 0 && (
        <ScrollArea.Autosize mah={360} type="auto" viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'Metrics by class' }}>
          <Table stickyHeader fz="sm" className={classes.rows}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Class</Table.Th>
                {columns.map((column) => (
                  <Table.Th key={column} ta="right">
                    {metricName(column)}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {perClass.map(([name, row]) => (
                <Table.Tr key={name}>
                  <Table.Td>{name}</Table.Td>
                  {columns.map((column) => (
                    <Table.Td key={column} ta="right">
                      {number(row[column])}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </ScrollArea.Autosize>
      )}
    </Stack>
  )
}

export function MetricTable({ values }: { values: Record<string, MetricValue | number | null> }) {
  return (
    <Table fz="sm" className={classes.rows} maw={560}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Metric</Table.Th>
          <Table.Th ta="right">Value</Table.Th>
          <Table.Th ta="right">95 % interval</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {ranked(values).map(([name, entry]) => {
          const { value, low, high } = asMetric(entry)
          return (
            <Table.Tr key={name}>
              <Table.Td>{metricName(name)}</Table.Td>
              <Table.Td ta="right" fw={600}>
                {number(value)}
              </Table.Td>
              <Table.Td ta="right">
                {low !== null && low !== undefined && high !== null && high !== undefined ? (
                  <Box>
                    <Text span size="sm" c="dimmed">
                      {number(low)} – {number(high)}
                    </Text>
                    {value !== null && low >= 0 && high <= 1 && (
                      <Box className={classes.interval} aria-hidden>
                        <span style={{ left: `${low * 100}%`, width: `${Math.max(0.5, (high - low) * 100)}%` }} />
                      </Box>
                    )}
                  </Box>
                ) : (
                  ''
                )}
              </Table.Td>
            </Table.Tr>
          )
        })}
      </Table.Tbody>
    </Table>
  )
}
