import { Alert, Loader, Skeleton, Table, Text } from '@mantine/core'
import type { Schemas } from '@/api/client'
import { ErrorNotice, ProblemList } from '@/ui/ErrorNotice'
import { COLUMN_TYPE, TypeMark } from '../look'
import { cellText } from './cells'
import classes from './ReadingPanel.module.css'

const COLUMNS = 40
const ROWS = 8

/** The first rows as they would be read. */
export function ReadingPreview({ preview, loading, error }: { preview: Schemas['PreviewOut'] | undefined; loading: boolean; error: unknown }) {
  if (error) return <ErrorNotice error={error} />
  if (!preview) return <Skeleton h={200} />
  if (preview.problems.length > 0) {
    return (
      <Alert color="red" title="The first rows cannot be read so">
        <ProblemList problems={preview.problems.map((p) => ({ field: p.field ?? '', message: p.message, expected: p.expected ?? '' }))} />
      </Alert>
    )
  }
  const columns = preview.columns.slice(0, COLUMNS)
  const rows = preview.rows.slice(0, ROWS)
  return (
    <div>
      <Text size="sm" fw={560} mb={6} className={classes.caption}>
        The first rows, read so {loading && <Loader size={13} aria-hidden />}
      </Text>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- so that the keyboard can scroll what is wider than the page */}
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="Preview of the first rows">
        <Table className={classes.table} aria-busy={loading}>
          <Table.Thead>
            <Table.Tr>
              {columns.map((c) => (
                <Table.Th key={c.name}>
                  <span className={classes.name} title={c.name}>
                    {c.name}
                  </span>
                  <span className={classes.type}>
                    <TypeMark type={c.type} withLabel />
                    {c.format && c.type !== 'datetime' && (
                      <Text span size="xs" c="dimmed">
                        {c.format}
                      </Text>
                    )}
                    {c.format && c.type === 'datetime' && (
                      <Text span size="xs" c="dimmed" aria-label={`${COLUMN_TYPE.datetime.label} written ${c.format}`}>
                        {spoken(c.format)}
                      </Text>
                    )}
                  </span>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, i) => (
              <Table.Tr key={i}>
                {columns.map((c, j) => (
                  <Table.Td key={c.name} data-number={c.type === 'number' || c.type === 'integer' || undefined}>
                    {row[j] === null || row[j] === undefined ? <span className={classes.missing}>missing</span> : cellText(row[j], c.type).slice(0, 80)}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
      {preview.columns.length > COLUMNS && (
        <Text size="xs" c="dimmed" mt={4}>
          and {preview.columns.length - COLUMNS} more columns
        </Text>
      )}
    </div>
  )
}

const PARTS: Record<string, string> = { '%d': 'day', '%m': 'month', '%Y': 'year', '%y': 'year', '%H': 'h', '%M': 'min', '%S': 's' }
const spoken = (form: string) => form.replace(/%[A-Za-z]/g, (part) => PARTS[part] ?? part)
