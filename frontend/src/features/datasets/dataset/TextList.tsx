import { Badge, Group, Modal, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { api, errorOf, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { bytes } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { DataTable, useWindow } from '@/ui/data-table'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useMaking } from './making'
import { MakingBar } from './MakingBar'

type Item = Schemas['ItemOut']
type Page = Schemas['ItemsOut'] & { rows: Item[] }
/** More than a person reads in a dialog. */
const MOST = 200_000

/** Texts of a version: a list; Enter or a click shows one. */
export function TextList({ project, dataset, version }: { project: string; dataset: string; version: number }) {
  const [search, setSearch] = useState('')
  const [wanted] = useDebouncedValue(search.trim(), 300)
  const [label, setLabel] = useState<string | null>(null)
  const [open, setOpen] = useState<Item | null>(null)
  const { progress, made } = useMaking()
  const fetchItems = useCallback(
    async (offset: number, limit: number, signal: AbortSignal): Promise<Page> => {
      const page = await made<Schemas['ItemsOut']>(
        () =>
          unwrap(
            api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/items', { params: { path: { project, dataset, number: version }, query: { offset, limit, search: wanted || undefined, label: label ?? undefined, wait: 1 } }, signal }),
          ),
        signal,
      )
      return { ...page, rows: page.items }
    },
    [made, project, dataset, version, wanted, label],
  )
  const items = useWindow<Item, Page>([...keys.datasets(project), dataset, 'items', version, wanted, label], fetchItems)
  const text = useQuery({
    queryKey: ['text', open?.url],
    enabled: open !== null,
    staleTime: Infinity,
    queryFn: async () => {
      const answer = await fetch(open!.url)
      if (!answer.ok) throw await errorOf(answer)
      return (await answer.text()).slice(0, MOST)
    },
  })
  const showAll = () => {
    setSearch('')
    setLabel(null)
  }
  const labels = items.first?.labels ?? []
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <TextInput w={240} leftSection={<IconSearch size={16} aria-hidden />} placeholder="Find by name" aria-label="Find by name" value={search} onChange={(e) => setSearch(e.currentTarget.value)} />
        <Select w={180} placeholder="All labels" aria-label="Label" data={labels} value={label} onChange={setLabel} clearable searchable disabled={labels.length === 0} />
      </Group>
      <ErrorNotice error={items.error} onRetry={() => void items.refetch()} />
      <MakingBar progress={progress} what="Looking through the texts" onCancel={showAll} />
      <DataTable<Item>
        label="Texts"
        total={items.total}
        rowAt={items.rowAt}
        onWindow={items.onWindow}
        loading={items.loading}
        numbered
        rowHeight={36}
        onOpen={setOpen}
        empty={<EmptyState compact icon={IconSearch} title="No text fits" />}
        columns={[
          { key: 'key', title: 'Name', width: 220, grow: 1, render: (r) => <Text size="sm" truncate>{r.key}</Text> },
          { key: 'label', title: 'Label', width: 160, render: (r) => (r.label ? <Badge>{r.label}</Badge> : null) },
          { key: 'split', title: 'Split', width: 110, hideBelow: 600, render: (r) => r.split ?? '' },
          { key: 'size', title: 'Size', width: 100, align: 'right', render: (r) => bytes(r.size) },
        ]}
      />
      <Modal opened={open !== null} onClose={() => setOpen(null)} size="xl" title={<Text fw={620}>{open?.key}</Text>}>
        <ErrorNotice error={text.error} />
        {text.isPending ? <Skeleton h={200} /> : <CodeSnippet code={text.data ?? ''} wrap label="Copy the text" />}
      </Modal>
    </Stack>
  )
}
