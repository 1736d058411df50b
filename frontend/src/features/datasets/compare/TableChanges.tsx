import { Badge, Stack, Table, Text, Title } from '@mantine/core'
import { type Schemas } from '@/api/client'
import { count, plural } from '@/lib/format'
import classes from './compare.module.css'

const COLORS = { added: 'green', removed: 'red', retyped: 'yellow', changed: 'yellow', same: 'gray' } as const
const cell = (value: unknown) => (value === null || value === undefined ? 'missing' : typeof value === 'object' ? JSON.stringify(value) : String(value))

/** A table: which columns changed, and the cells of each row that did. */
export function TableChanges({ pages }: { pages: Schemas['ChangesOut'][] }) {
  const columns = pages[0]?.columns.filter((column) => column.change !== 'same') ?? []
  const rows = pages.flatMap((page) => page.rows)
  return (
    <Stack gap="lg">
      {columns.length > 0 && (
        <section>
          <Title order={2} size="h4" mb="xs">
            Columns
          </Title>
          <div className={classes.scroll}>
            <Table fz="sm" withTableBorder>
              <Table.Tbody>
                {columns.map((column) => (
                  <Table.Tr key={column.name}>
                    <Table.Th scope="row">{column.name}</Table.Th>
                    <Table.Td>
                      <Badge size="sm" variant="light" color={COLORS[column.change]}>
                        {column.change === 'retyped' ? `${column.before} → ${column.after}` : column.change}
                      </Badge>
                    </Table.Td>
                    <Table.Td className="tabular">{column.cells ? plural(column.cells, 'cell') : ''}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        </section>
      )}
      <section>
        <Title order={2} size="h4" mb="xs">
          Rows
        </Title>
        <Text size="xs" c="dimmed" mb="xs">
          Rows are compared by their place: the first with the first. Columns that only one version has are left out.
        </Text>
        {rows.length === 0 ? (
          <Text size="sm">No row says anything else.</Text>
        ) : (
          <div className={classes.scroll}>
            <Table fz="sm" withTableBorder>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Row</Table.Th>
                  <Table.Th>Column</Table.Th>
                  <Table.Th>Before</Table.Th>
                  <Table.Th>After</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.flatMap((row) =>
                  row.cells.map((change, index) => (
                    <Table.Tr key={`${row.row} ${change.column}`}>
                      <Table.Td className="tabular">{index === 0 ? count(row.row + 1) : ''}</Table.Td>
                      <Table.Td>{change.column}</Table.Td>
                      <Table.Td c="dimmed" className={classes.cell}>
                        {cell(change.before)}
                      </Table.Td>
                      <Table.Td className={classes.cell}>{cell(change.after)}</Table.Td>
                    </Table.Tr>
                  )),
                )}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </section>
    </Stack>
  )
}
