/** Tokens with which machines can still join; nothing where there are none. */
import { Paper, Table, Text, Title, VisuallyHidden } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { ago, plural } from '@/lib/format'
import { ConfirmButton } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { joinTokensQuery, useRevoke } from './data'

export function JoinTokens() {
  const query = useQuery(joinTokensQuery)
  const revoke = useRevoke()
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data?.length) return null
  return (
    <Paper component="section" p="md" aria-label="Join tokens">
      <Title order={2} size="h4">
        Join tokens
      </Title>
      <StackedTable minWidth={280} fz="sm" mt="xs" aria-label="Join tokens">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Made</Table.Th>
            <Table.Th>Good until</Table.Th>
            <Table.Th>Used</Table.Th>
            <Table.Th>
              <VisuallyHidden>Actions</VisuallyHidden>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {query.data.map((token) => (
            <Table.Tr key={token.id}>
              <Table.Td>
                <Text size="sm" fw={560} span>
                  {token.name}
                </Text>{' '}
                <Text size="xs" c="dimmed" span ff="monospace">
                  {token.prefix}…
                </Text>
              </Table.Td>
              <Table.Td data-label="Made">
                {ago(token.created_at)} {token.created_by && `by ${token.created_by.name || token.created_by.email}`}
              </Table.Td>
              <Table.Td data-label="Good until">{ago(token.expires_at)}</Table.Td>
              <Table.Td data-label="Used">{token.hosts > 0 ? `by ${plural(token.hosts, 'host')}, last ${ago(token.last_used_at)}` : 'not yet'}</Table.Td>
              <Table.Td>
                <ConfirmButton size="xs" title={`Revoke ${token.name}?`} message="Nobody joins with it any more. Hosts that have joined with it stay." confirmLabel="Revoke" onConfirm={() => revoke.mutateAsync(token.id)}>
                  Revoke
                </ConfirmButton>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </StackedTable>
    </Paper>
  )
}
