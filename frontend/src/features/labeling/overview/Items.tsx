/** The queue, item by item: what is open, held, complete, in doubt. */
import { Anchor, Badge, Button, Group, Select, Skeleton, Table, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import type { LabelSchema, ListedItem } from '../data'
import { Faces, facesOf, usePresence } from '../together/presence'

const STATES: { value: string; label: string }[] = [
  { value: '', label: 'All' },
  { value: 'open', label: 'Open' },
  { value: 'complete', label: 'Complete' },
  { value: 'differing', label: 'People differ' },
  { value: 'to_review', label: 'Wait for review' },
  { value: 'rejected', label: 'Sent back' },
  { value: 'truth', label: 'With ground truth' },
  { value: 'skipped', label: 'Skipped by somebody' },
  { value: 'commented', label: 'With open comments' },
  { value: 'removed', label: 'No longer in the data' },
]
type State = NonNullable<NonNullable<Parameters<typeof api.GET<'/api/v1/projects/{project}/label-schemas/{label_schema}/items', never>>[1]>['params']['query']>['state']

function standing(item: ListedItem): { color: string; words: string } {
  if (item.truth) return { color: 'green', words: 'ground truth' }
  if (item.done >= item.wanted) return { color: 'blue', words: 'complete' }
  const holder = item.leases[0]
  if (holder) return { color: 'yellow', words: `with ${holder.user.name || holder.user.email}` }
  return { color: 'gray', words: 'open' }
}

export function Items({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const can = useCan()
  const navigate = useNavigate()
  const present = usePresence(project, schema)
  const { state = '' } = useSearch({ strict: false }) as { state?: string }
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text, 250)
  const query = useInfiniteQuery({
    queryKey: [...keys.labelSchemas(project), schema.slug, 'items', state, search],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }): Promise<Schemas['Page_ListedItemOut_']> =>
      unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/items', { params: { path: { project, label_schema: schema.slug }, query: { state: (state || undefined) as State, search: search || undefined, cursor: pageParam, limit: 100 } } })),
    getNextPageParam: (page) => page.next ?? undefined,
  })
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <>
      <Group mb="sm">
        <TextInput aria-label="Search items" placeholder="Search" leftSection={<IconSearch size={16} aria-hidden />} value={text} onChange={(event) => setText(event.currentTarget.value)} w={220} />
        <Select aria-label="Which items" data={STATES} value={state} allowDeselect={false} onChange={(chosen) => void navigate({ to: '.', search: { tab: 'items', state: chosen || undefined }, replace: true })} w={210} />
      </Group>
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={200} />}
      {query.data && items.length === 0 && (
        <Text size="sm" c="dimmed">
          No item is like that.
        </Text>
      )}
      {items.length > 0 && (
        <StackedTable minWidth={420}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Item</Table.Th>
                <Table.Th ta="right">Done</Table.Th>
                <Table.Th>Standing</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.map((item) => {
                const { color, words } = standing(item)
                const here = present.filter((one) => one.item === item.id)
                return (
                  <Table.Tr key={item.id}>
                    <Table.Td>
                      <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/labels/$schema/items/$item" params={{ project, schema: schema.slug, item: String(item.id) }} {...props} />}>
                        {schema.modality === 'table' ? `Row ${item.position.toLocaleString()}` : item.key}
                      </Anchor>
                    </Table.Td>
                    <Table.Td data-label="Done" ta="right">
                      {item.done} of {item.wanted}
                    </Table.Td>
                    <Table.Td data-label="Standing">
                      <Group gap="xs" wrap="nowrap" justify="flex-start">
                        <Badge color={color}>{words}</Badge>
                        <Faces people={facesOf(here)} />
                        {schema.together === 'shared' && here.some((one) => one.doing === 'labelling') && item.done < item.wanted && can('label.annotate') && (
                          <Button size="compact-xs" variant="light" renderRoot={(props) => <Link to="/p/$project/labels/$schema/label" params={{ project, schema: schema.slug }} search={{ item: item.id }} {...props} />}>
                            Join
                          </Button>
                        )}
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                )
              })}
            </Table.Tbody>
          </StackedTable>
      )}
      {query.hasNextPage && (
        <Button variant="default" mt="sm" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          More
        </Button>
      )}
    </>
  )
}
