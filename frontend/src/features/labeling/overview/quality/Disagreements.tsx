/** The items behind a figure, beside the page; each opens with all that was said of it. */
import { Anchor, Button, Drawer, Skeleton, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import type { LabelSchema } from '../../data'
import { called } from './figures'

/** Labels and people; an empty label is nothing, one that is left out is any. */
export type Asked = { title: string; control?: string; said?: string; other?: string; person?: string; beside?: string }

export function Disagreements({ schema, asked, onClose }: { schema: LabelSchema; asked: Asked | null; onClose: () => void }) {
  return (
    <Drawer opened={asked !== null} onClose={onClose} position="right" title={asked?.title ?? ''} size="md">
      {asked && <Found schema={schema} asked={asked} />}
    </Drawer>
  )
}

function Found({ schema, asked }: { schema: LabelSchema; asked: Asked }) {
  const project = useProjectSlug()
  const { control, said, other, person, beside } = asked
  const query = useInfiniteQuery({
    queryKey: [...keys.labelSchemas(project), schema.slug, 'quality', 'disagreements', asked],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }): Promise<Schemas['Page_DisagreementOut_']> =>
      unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/quality/disagreements', { params: { path: { project, label_schema: schema.slug }, query: { control, said, other, person, beside, cursor: pageParam } } })),
    getNextPageParam: (page) => page.next ?? undefined,
  })
  const rows = query.data?.pages.flatMap((page) => page.items) ?? []
  if (query.isPending) return <Skeleton h={160} />
  return (
    <Stack gap="sm">
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.data && rows.length === 0 && (
        <Text size="sm" c="dimmed">
          On nothing, at the last measurement.
        </Text>
      )}
      {rows.map((row) => (
        <div key={row.id}>
          <Anchor size="sm" fw={600} renderRoot={(props) => <Link to="/p/$project/labels/$schema/items/$item" params={{ project, schema: schema.slug, item: String(row.item) }} {...props} />}>
            {schema.modality === 'table' ? `Row ${row.position.toLocaleString()}` : row.key}
          </Anchor>
          <Text size="xs" c="dimmed">
            {row.said_one || row.said_other ? `${row.one.name || row.one.email}: ${called(row.said_one)} · ${row.other.name || row.other.email}: ${called(row.said_other)}` : `${row.one.name || row.one.email} and ${row.other.name || row.other.email} agree by ${Math.round(100 * row.score)} %`} ({row.control})
          </Text>
        </div>
      ))}
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          More
        </Button>
      )}
    </Stack>
  )
}
