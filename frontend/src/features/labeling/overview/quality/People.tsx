/** How well and how fast each person labels; any column sorts. */
import { Badge, Group, Select, Table, Text, Title, Tooltip, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react'
import { useState } from 'react'
import { StackedTable } from '@/ui/StackedTable'
import { backOf, share, sorted, type Column, type Quality } from './figures'

const COLUMNS: { name: Column; label: string; help: string }[] = [
  { name: 'name', label: 'Person', help: '' },
  { name: 'annotations', label: 'Annotations', help: 'In all' },
  { name: 'per_day', label: 'A day', help: 'On days on which they labelled' },
  { name: 'seconds', label: 'Seconds', help: 'Median for one item' },
  { name: 'agreement', label: 'With others', help: 'Mean agreement with others on the same items' },
  { name: 'right', label: 'Right', help: 'Against known answers, reviews and the ground truth' },
  { name: 'back', label: 'Sent back', help: 'Or mended, of what was reviewed' },
  { name: 'honeypot_score', label: 'Honeypots', help: 'Agreement with known answers' },
]

export function People({ found, names }: { found: Quality; names: Map<string, string> }) {
  const [by, setBy] = useState<Column>('annotations')
  const [down, setDown] = useState(true)
  const columns = COLUMNS.filter((column) => !found.own || column.name !== 'honeypot_score')
  const choose = (name: Column) => {
    setDown(by === name ? !down : name !== 'name')
    setBy(name)
  }
  return (
    <section aria-label="By person">
      <Group justify="space-between" mb={4}>
        <Title order={2} size="h4">
          {found.own ? 'Your work' : 'By person'}
        </Title>
        {found.people.length > 1 && (
          <Select aria-label="Sort by" size="xs" w={150} hiddenFrom="sm" allowDeselect={false} data={columns.map((column) => ({ value: column.name, label: column.label }))} value={by} onChange={(chosen) => chosen && choose(chosen as Column)} />
        )}
      </Group>
      <StackedTable minWidth={640}>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.name} aria-sort={by === column.name ? (down ? 'descending' : 'ascending') : 'none'} ta={column.name === 'name' ? undefined : 'right'}>
                <Tooltip label={column.help} disabled={!column.help}>
                  <UnstyledButton fz="sm" fw={600} onClick={() => choose(column.name)}>
                    <Group gap={4} wrap="nowrap">
                      {column.label}
                      {by === column.name && (down ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />)}
                    </Group>
                  </UnstyledButton>
                </Tooltip>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sorted(found.people, by, down, names).map((person) => (
            <Table.Tr key={person.person}>
              <Table.Td>
                <Group gap="xs">
                  {names.get(person.person) ?? 'somebody'}
                  {person.drift?.worse && (
                    <Tooltip label={`${share(person.drift.before)} right before, ${share(person.drift.now)} of the newest 30`}>
                      <Badge color="yellow" tabIndex={0}>
                        became worse
                      </Badge>
                    </Tooltip>
                  )}
                </Group>
              </Table.Td>
              {columns.slice(1).map((column) => (
                <Table.Td key={column.name} data-label={column.label} ta="right">
                  {column.name === 'annotations' && person.annotations.toLocaleString()}
                  {column.name === 'per_day' && Math.round(person.per_day).toLocaleString()}
                  {column.name === 'seconds' && (person.seconds < 10 ? person.seconds.toFixed(1) : Math.round(person.seconds))}
                  {column.name === 'agreement' && share(person.agreement)}
                  {column.name === 'right' && <Of value={person.right} of={person.judged} />}
                  {column.name === 'back' && <Of value={backOf(person)} of={person.reviewed} />}
                  {column.name === 'honeypot_score' && <Of value={person.honeypot_score} of={person.honeypots} />}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </StackedTable>
    </section>
  )
}

function Of({ value, of }: { value: number | null; of: number }) {
  if (value === null) return <>–</>
  return (
    <span>
      {share(value)}{' '}
      <Text span size="xs" c="dimmed">
        of {of.toLocaleString()}
      </Text>
    </span>
  )
}
