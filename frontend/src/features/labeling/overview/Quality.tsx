/** How far people agree, beyond what chance would give, and where they do not. */
import { Anchor, Group, Paper, SimpleGrid, Skeleton, Stack, Table, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { agreementQuery, type LabelSchema } from '../data'

const share = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : `${Math.round(100 * value)} %`)
const beyond = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : value.toFixed(2))

export function Quality({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const query = useQuery(agreementQuery(project, schema.slug))
  const found = query.data
  if (query.isPending) return <Skeleton h={200} />
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!found || found.items === 0) {
    return (
      <Text size="sm" c="dimmed">
        {schema.overlap > 1 ? 'No item has been labelled by everybody yet.' : 'Each item is labelled by one person. With two or more (Settings), this page tells how far they agree.'}
      </Text>
    )
  }
  const alphas = found.controls.some((one) => one.alpha !== null)
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Paper p="md" withBorder>
          <Text size="xs" c="dimmed">
            Agreement of two people
          </Text>
          <Text fz={24} fw={650}>
            {share(found.agreement)}
          </Text>
          <Text size="xs" c="dimmed">
            over {found.items.toLocaleString()} complete items
          </Text>
        </Paper>
        <Paper p="md" withBorder style={{ gridColumn: 'span 2' }} visibleFrom="sm">
          <Text size="sm">
            Regions agree where they have the same label and overlap by at least half. {alphas ? 'Krippendorff’s α and Cohen’s κ leave out what chance alone would give: above 0.8 is good, below 0.67 the question is not clear enough.' : ''}
          </Text>
          <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/labels/$schema" params={{ project, schema: schema.slug }} search={{ tab: 'items', state: 'differing' }} {...props} />}>
            Items on which people differ
          </Anchor>
        </Paper>
      </SimpleGrid>
      <Section title="By question">
        <StackedTable minWidth={360}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Control</Table.Th>
                <Table.Th ta="right">Agreement</Table.Th>
                <Table.Th ta="right">α</Table.Th>
                <Table.Th ta="right">Pairs</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.controls.map((one) => (
                <Table.Tr key={one.control}>
                  <Table.Td>{one.control}</Table.Td>
                  <Table.Td data-label="Agreement" ta="right">{share(one.agreement)}</Table.Td>
                  <Table.Td data-label="α" ta="right">{beyond(one.alpha)}</Table.Td>
                  <Table.Td data-label="Pairs" ta="right">{one.pairs.toLocaleString()}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </StackedTable>
      </Section>
      <Section title="By pair of people">
        <StackedTable minWidth={360}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Who</Table.Th>
                <Table.Th>And</Table.Th>
                <Table.Th ta="right">Agreement</Table.Th>
                <Table.Th ta="right">κ</Table.Th>
                <Table.Th ta="right">Items</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.people.map((one) => (
                <Table.Tr key={one.one.id + one.other.id}>
                  <Table.Td>{one.one.name || one.one.email}</Table.Td>
                  <Table.Td data-label="And">{one.other.name || one.other.email}</Table.Td>
                  <Table.Td data-label="Agreement" ta="right">{share(one.agreement)}</Table.Td>
                  <Table.Td data-label="κ" ta="right">{Object.values(one.kappa).map(beyond).join(', ') || '–'}</Table.Td>
                  <Table.Td data-label="Items" ta="right">{one.items.toLocaleString()}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </StackedTable>
      </Section>
      {found.confusions.length > 0 && (
        <Section title="Most often taken for each other">
          <Group gap="lg">
            {found.confusions.slice(0, 12).map((one) => (
              <Text size="sm" key={one.control + one.one + one.other}>
                {one.one} – {one.other}{' '}
                <Text span c="dimmed">
                  {one.count} ×
                </Text>
              </Text>
            ))}
          </Group>
        </Section>
      )}
    </Stack>
  )
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <div>
      <Title order={2} size="h4" mb="xs">
        {title}
      </Title>
      {children}
    </div>
  )
}
