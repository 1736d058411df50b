import { ActionIcon, Badge, Button, Group, Menu, SegmentedControl, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconArrowBackUp, IconCloudUpload, IconDatabase, IconDots, IconFile, IconFolder, IconSearch, IconSparkles, IconTrash } from '@tabler/icons-react'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, bytes, count } from '@/lib/format'
import { useCommands } from '@/ui/commands'
import { notifyDone, notifyError, notifyUndo } from '@/ui/confirm'
import { DataTable, type TableColumn } from '@/ui/data-table'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { MODALITY } from './look'
import { uploads } from './upload/manager'
import { PageDrop, UploadButton, usePicker } from './upload/pick'
import type { Source } from './upload/source'
import { Unfinished } from './upload/Unfinished'
import classes from './datasets.module.css'

type Dataset = Schemas['DatasetOut']

/** All data sets of the project; files dropped anywhere on this page become new ones. */
export function DatasetsPage() {
  const project = useProjectSlug()
  const can = useCan()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { upload } = useSearch({ strict: false }) as { upload?: boolean }
  const [search, setSearch] = useState('')
  const [wanted] = useDebouncedValue(search.trim(), 250)
  const [which, setWhich] = useState<'here' | 'deleted'>('here')
  const deleted = which === 'deleted'
  const write = can('dataset.write')

  const list = useInfiniteQuery({
    queryKey: [...keys.datasets(project), 'list', wanted, deleted],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/projects/{project}/datasets', { params: { path: { project }, query: { search: wanted || undefined, deleted, cursor: pageParam, limit: 100 } } })),
    getNextPageParam: (page) => page.next ?? undefined,
  })
  const rows = useMemo(() => list.data?.pages.flatMap((p) => p.items) ?? [], [list.data])
  const start = (sources: Source[]) => sources.forEach((source) => uploads.add(project, source))
  const { inputs, openFiles, openFolder } = usePicker(start)
  useCommands(
    () =>
      write
        ? [
            { id: 'dataset.upload', label: 'Upload files', group: 'Data sets', icon: IconFile, shortcut: 'u', run: openFiles },
            { id: 'dataset.upload-folder', label: 'Upload a folder of images', group: 'Data sets', icon: IconFolder, run: openFolder },
          ]
        : [],
    [write],
  )
  // “Upload data” on another page leads here; a file picker opens only from a person's own click, so the button takes the focus.
  useEffect(() => {
    if (upload) document.querySelector<HTMLButtonElement>('[data-upload] button')?.focus()
  }, [upload])

  const refresh = () => client.invalidateQueries({ queryKey: keys.datasets(project) })
  const restore = async (d: Dataset) => {
    await unwrap(api.POST('/api/v1/projects/{project}/datasets/{dataset}/restore', { params: { path: { project, dataset: d.slug } } }))
    await refresh()
    notifyDone(`${d.name} is back.`)
  }
  const remove = async (d: Dataset) => {
    try {
      await unwrap(api.DELETE('/api/v1/projects/{project}/datasets/{dataset}', { params: { path: { project, dataset: d.slug } } }))
      await refresh()
      notifyUndo(`Deleted ${d.name}.`, () => restore(d))
    } catch (error) {
      notifyError(error)
    }
  }

  const columns: TableColumn<Dataset>[] = [
    {
      key: 'name',
      title: 'Name',
      width: 150,
      grow: 3,
      render: (d) => {
        const look = MODALITY[d.modality]
        return (
          <Group gap="sm" wrap="nowrap" miw={0}>
            <span className={classes.kind}>
              <look.icon size={18} stroke={1.7} aria-label={look.label} />
            </span>
            <div className={classes.names}>
              {deleted ? (
                <Text size="sm" fw={560} truncate>
                  {d.name}
                </Text>
              ) : (
                <Text size="sm" fw={560} truncate renderRoot={(props) => <Link to="/p/$project/datasets/$dataset" params={{ project, dataset: d.slug }} tabIndex={-1} {...props} />} className={classes.link}>
                  {d.name}
                </Text>
              )}
              <Text size="xs" c="dimmed" truncate>
                {d.description || look.label}
              </Text>
            </div>
          </Group>
        )
      },
    },
    { key: 'items', title: 'Items', width: 124, align: 'right', render: (d) => `${count(d.item_count)} ${d.item_count === 1 ? MODALITY[d.modality].item : MODALITY[d.modality].items}` },
    { key: 'size', title: 'Size', width: 90, align: 'right', hideBelow: 560, render: (d) => bytes(d.size) },
    { key: 'version', title: 'Version', width: 110, align: 'center', hideBelow: 640, render: (d) => (d.latest_version ? <Badge color="water">v{d.latest_version}</Badge> : <Badge color="yellow">draft</Badge>) },
    { key: 'updated', title: deleted ? 'Deleted' : 'Changed', width: 130, hideBelow: 760, render: (d) => ago(deleted ? d.deleted_at : d.updated_at) },
    {
      key: 'actions',
      title: 'Actions',
      head: <span className="visually-hidden">Actions</span>,
      width: deleted ? 130 : 60,
      align: 'right',
      render: (d) =>
        deleted ? (
          can('dataset.delete') && (
            <Button size="compact-sm" variant="default" leftSection={<IconArrowBackUp size={14} aria-hidden />} onClick={() => restore(d).catch(notifyError)}>
              Restore
            </Button>
          )
        ) : (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon aria-label={`More about ${d.name}`}>
                <IconDots size={17} aria-hidden />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconSparkles size={16} aria-hidden />} onClick={() => void navigate({ to: '/p/$project/templates', params: { project }, search: { dataset: d.slug } })}>
                Use in a pipeline
              </Menu.Item>
              {can('dataset.delete') && (
                <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void remove(d)}>
                  Delete
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        ),
    },
  ]
  const untouched = list.isSuccess && rows.length === 0 && !wanted && !deleted

  return (
    <>
      {inputs}
      <PageHeader
        title="Data sets"
        description="What models learn from, in versions that never change once frozen."
        actions={write && <span data-upload>{<UploadButton onSources={start} />}</span>}
      />
      <Unfinished project={project} />
      <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      {untouched ? (
        <div className={classes.drop}>
          <EmptyState
            icon={IconCloudUpload}
            title={write ? 'Drop your data here' : 'No data sets yet'}
            actions={
              write && (
                <>
                  <Button leftSection={<IconFile size={16} aria-hidden />} onClick={openFiles}>
                    Choose files
                  </Button>
                  <Button variant="default" leftSection={<IconFolder size={16} aria-hidden />} onClick={openFolder}>
                    Choose a folder
                  </Button>
                  <Button variant="subtle" leftSection={<IconSparkles size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/templates" params={{ project }} {...props} />}>
                    Or start from a template
                  </Button>
                </>
              )
            }
          >
            CSV, TSV, Parquet, JSON Lines, Excel, text files, or images as a folder, zip or tar with one sub-folder a class. Several gigabytes are fine: an interrupted upload goes on where it stopped.
          </EmptyState>
        </div>
      ) : (
        <Stack gap="md">
          <Group justify="space-between" gap="sm">
            <TextInput
              w={{ base: '100%', xs: 300 }}
              leftSection={<IconSearch size={16} aria-hidden />}
              placeholder="Find a data set"
              aria-label="Find a data set"
              value={search}
              onChange={(e) => setSearch(e.currentTarget.value)}
            />
            <Tooltip label="Deleted data sets can be restored">
              <SegmentedControl
                aria-label="Which data sets"
                size="xs"
                value={which}
                onChange={(value) => setWhich(value as typeof which)}
                data={[
                  { value: 'here', label: 'Data sets' },
                  { value: 'deleted', label: 'Deleted' },
                ]}
              />
            </Tooltip>
          </Group>
          {!(list.error && rows.length === 0) && <DataTable<Dataset>
            label={deleted ? 'Deleted data sets' : 'Data sets'}
            columns={columns}
            rows={rows}
            rowKey={(d) => d.id}
            rowHeight={56}
            loading={list.isPending}
            onOpen={deleted ? undefined : (d) => void navigate({ to: '/p/$project/datasets/$dataset', params: { project, dataset: d.slug } })}
            onWindow={(_, last) => {
              if (last >= rows.length - 20 && list.hasNextPage && !list.isFetching) void list.fetchNextPage()
            }}
            empty={<EmptyState compact icon={deleted ? IconTrash : IconDatabase} title={deleted ? 'Nothing deleted' : 'No data set of that name'} />}
          />}
        </Stack>
      )}
      <PageDrop onSources={start} disabled={!write} hint="Each file or folder becomes a data set; images together become one." />
    </>
  )
}
