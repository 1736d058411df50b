/** Two versions of a data set: which items came and went, what is said differently of the others, box by box. */
import { Button, Chip, Group, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconArrowsExchange, IconEqual, IconGitCompare, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { count, dateTime, plural } from '@/lib/format'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { MODALITY } from '../look'
import { ItemChange } from './ItemChange'
import { TableChanges } from './TableChanges'

type Kind = Schemas['ItemChangeOut']['kinds'][number]
const KINDS: { kind: Kind; label: string }[] = [
  { kind: 'added', label: 'Added' },
  { kind: 'removed', label: 'Removed' },
  { kind: 'label', label: 'Other label' },
  { kind: 'annotations', label: 'Other annotations' },
  { kind: 'content', label: 'Other content' },
  { kind: 'split', label: 'Other split' },
  { kind: 'data', label: 'Other data' },
]
const PAGE = 40

export function CompareVersionsPage() {
  const project = useProjectSlug()
  const navigate = useNavigate()
  const { dataset = '' } = useParams({ strict: false })
  const asked = useSearch({ strict: false }) as { since?: number; to?: number }
  const [kind, setKind] = useState<Kind | null>(null)
  const [search, setSearch] = useState('')
  const [wanted] = useDebouncedValue(search.trim(), 300)
  const path = { project, dataset }
  const base = [...keys.datasets(project), dataset]
  const about = useQuery({ queryKey: [...base, 'dataset'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}', { params: { path } })) })
  const versions = useQuery({ queryKey: [...base, 'versions'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions', { params: { path } })) })
  const known = versions.data ?? []
  const to = asked.to ?? known[0]?.number
  const since = asked.since ?? known.find((v) => v.number < (to ?? 0))?.number
  const changes = useInfiniteQuery({
    queryKey: [...base, 'changes', since, to, kind, wanted],
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/changes', {
          params: { path: { ...path, number: to ?? 0 }, query: { since: since ?? 0, kind: kind ?? undefined, search: wanted || undefined, offset: pageParam, limit: PAGE } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => (page.offset + PAGE < page.total ? page.offset + PAGE : undefined),
    placeholderData: keepPreviousData,
    enabled: since !== undefined && to !== undefined && since !== to,
  })
  const go = (next: { since?: number; to?: number }) => void navigate({ to: '/p/$project/datasets/$dataset/compare', params: path, search: { since, to, ...next }, replace: true })
  const options = known.map((v) => ({ value: String(v.number), label: `Version ${v.number}` }))
  const version = (label: string, value: number | undefined, change: (number: number) => void) => (
    <Select
      label={label}
      w={{ base: 130, xs: 190 }}
      allowDeselect={false}
      data={options}
      value={value === undefined ? null : String(value)}
      onChange={(chosen) => chosen && change(Number(chosen))}
      renderOption={({ option }) => {
        const v = known.find((x) => String(x.number) === option.value)
        return (
          <div>
            <Text size="sm">{option.label}</Text>
            <Text size="xs" c="dimmed">
              {dateTime(v?.created_at)}
              {v?.note ? ` · ${v.note.slice(0, 60)}` : ''}
            </Text>
          </div>
        )
      }}
    />
  )
  const crumbs = [
    { label: 'Data sets', to: '/p/$project/datasets' as const, params: { project } },
    { label: about.data?.name ?? dataset, to: '/p/$project/datasets/$dataset' as const, params: path },
  ]
  const first = changes.data?.pages[0]
  const words = MODALITY[about.data?.modality ?? 'images']
  return (
    <>
      <PageHeader title="Compare versions" crumbs={crumbs} />
      <ErrorNotice error={about.error ?? versions.error ?? changes.error} onRetry={() => void Promise.all([about.refetch(), versions.refetch(), changes.refetch()])} />
      {versions.data && known.length < 2 ? (
        <EmptyState icon={IconGitCompare} title="There is one version only" actions={<Button renderRoot={(props) => <Link to="/p/$project/datasets/$dataset" params={path} {...props} />}>Back to the data set</Button>}>
          Upload a new version or freeze labels, then see here what became different.
        </EmptyState>
      ) : (
        <Stack gap="md">
          <Group gap="xs" align="flex-end">
            {version('From', since, (number) => go({ since: number }))}
            <Button variant="default" px="xs" aria-label="Swap" onClick={() => go({ since: to, to: since })}>
              <IconArrowsExchange size={17} aria-hidden />
            </Button>
            {version('To', to, (number) => go({ to: number }))}
          </Group>
          {since !== undefined && since === to && <Text c="dimmed">Choose two different versions.</Text>}
          {changes.isLoading && <Skeleton h={320} radius="md" />}
          {first && (
            <>
              <Text role="status" className="tabular">
                {count(first.added)} added, {count(first.removed)} removed, {count(first.changed)} changed; {plural(first.unchanged, words.item, words.items)} the same.
              </Text>
              {first.modality === 'table' ? (
                <TableChanges pages={changes.data?.pages ?? []} />
              ) : (
                <>
                  <Group gap="xs">
                    <Chip.Group multiple={false} value={kind ?? 'all'} onChange={(value) => setKind(value === 'all' ? null : (value as Kind))}>
                      <Chip value="all" size="xs">
                        All {count(first.added + first.removed + first.changed)}
                      </Chip>
                      {KINDS.filter((k) => first.kinds[k.kind]).map((k) => (
                        <Chip key={k.kind} value={k.kind} size="xs">
                          {k.label} {count(first.kinds[k.kind] ?? 0)}
                        </Chip>
                      ))}
                    </Chip.Group>
                    <TextInput ml="auto" size="xs" w={{ base: '100%', xs: 220 }} leftSection={<IconSearch size={14} aria-hidden />} placeholder="Find by name" aria-label="Find by name" value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
                  </Group>
                  {first.total === 0 && (
                    <EmptyState icon={IconEqual} title={wanted || kind ? 'Nothing fits' : 'Both versions say the same'}>
                      {wanted || kind ? 'Show all changes, or look for another name.' : 'They hold the same items with the same labels.'}
                    </EmptyState>
                  )}
                  {changes.data?.pages.flatMap((page) => page.items).map((item) => <ItemChange key={item.key} item={item} images={first.modality === 'images'} />)}
                </>
              )}
              {changes.hasNextPage && (
                <Button variant="default" onClick={() => void changes.fetchNextPage()} loading={changes.isFetchingNextPage} style={{ alignSelf: 'center' }}>
                  Show more
                </Button>
              )}
            </>
          )}
        </Stack>
      )}
    </>
  )
}
