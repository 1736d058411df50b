/** A figure with its heading, and the same figures as a table for those who do not see it or want to read them. */
import { Button, Collapse, Group, Table, Text, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { StackedTable } from '@/ui/StackedTable'

export function Section({ title, help, aside, table, children }: { title: string; help?: string; aside?: React.ReactNode; table?: React.ReactNode; children: React.ReactNode }) {
  const [opened, { toggle }] = useDisclosure(false)
  return (
    <section aria-label={title}>
      <Group justify="space-between" mb={4}>
        <Title order={2} size="h4">
          {title}
        </Title>
        <Group gap="xs">
          {aside}
          {table && (
            <Button size="xs" variant="subtle" aria-expanded={opened} onClick={toggle}>
              {opened ? 'Hide the table' : 'As a table'}
            </Button>
          )}
        </Group>
      </Group>
      {help && (
        <Text size="sm" c="dimmed" mb="xs" maw={760}>
          {help}
        </Text>
      )}
      {children}
      {table && <Collapse expanded={opened}>{table}</Collapse>}
    </section>
  )
}

export type Row = { key: string; cells: string[]; open?: () => void }

/** The first cell names the row; of a row that can be opened, the last column is a button. */
export function Small({ head, rows }: { head: string[]; rows: Row[] }) {
  const opens = rows.some((row) => row.open)
  return (
    <StackedTable minWidth={360}>
      <Table.Thead>
        <Table.Tr>
          {head.map((name, n) => (
            <Table.Th key={name} ta={n === 0 ? undefined : 'right'}>
              {name}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((row) => (
          <Table.Tr key={row.key}>
            {row.cells.map((cell, n) => (
              <Table.Td key={head[n]} data-label={n === 0 ? undefined : head[n]} ta={n === 0 ? undefined : 'right'}>
                {cell}
              </Table.Td>
            ))}
            {opens && (
              <Table.Td ta="right">
                {row.open && (
                  <Button size="compact-xs" variant="default" onClick={row.open} aria-label={`Items: ${row.cells.slice(0, 2).join(', ')}`}>
                    Items
                  </Button>
                )}
              </Table.Td>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </StackedTable>
  )
}
