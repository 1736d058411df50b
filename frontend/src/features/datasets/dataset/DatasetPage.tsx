import { ActionIcon, Alert, Badge, Button, Group, Loader, Menu, Modal, Radio, Select, Skeleton, Stack, Tabs, Text, Tooltip } from '@mantine/core'
import { IconCloudUpload, IconDotsVertical, IconDownload, IconGitCompare, IconRoute, IconTrash } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState, type CSSProperties } from 'react'
import { api, isApiError, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { bytes, count, dateTime, shortDigest } from '@/lib/format'
import { notifyDone, notifyError, notifyUndo } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice, ProblemList } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { StatusBadge } from '@/ui/StatusBadge'
import { MODALITY } from '../look'
import { uploads } from '../upload/manager'
import { PageDrop, UploadButton } from '../upload/pick'
import type { Source } from '../upload/source'
import { About } from './About'
import { DraftBar } from './DraftBar'
import { Gallery } from './Gallery'
import { Profile } from './Profile'
import { ReadingPanel } from './ReadingPanel'
import { TableView } from './TableView'
import { TextList } from './TextList'

type Dataset = Schemas['DatasetOut']
type Version = Schemas['DatasetVersionOut']
type Tab = 'data' | 'profile' | 'about'

const BUSY = new Set(['freezing'])

/** One data set: its versions, what is in them, what they look like, where they come from. */
export function DatasetPage() {
  const project = useProjectSlug()
  const can = useCan()
  const navigate = useNavigate()
  const client = useQueryClient()
  const { dataset: slug = '' } = useParams({ strict: false })
  const search = useSearch({ strict: false }) as { version?: number; tab?: Tab }
  const [adding, setAdding] = useState<Source[] | null>(null)
  const path = { project, dataset: slug }
  const base = [...keys.datasets(project), slug]
  const dataset = useQuery({ queryKey: [...base, 'dataset'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}', { params: { path } })) })
  const versions = useQuery({
    queryKey: [...base, 'versions'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions', { params: { path } })),
    // Live events say when something changes; asking now and then covers a line that is down.
    refetchInterval: (query) => (query.state.data?.some((v) => BUSY.has(v.status) || v.profile_status === 'queued' || v.profile_status === 'running') ? 3000 : false),
  })
  const go = (next: { version?: number; tab?: Tab }) =>
    void navigate({ to: '/p/$project/datasets/$dataset', params: path, search: { ...(search.version ? { version: search.version } : {}), ...(search.tab ? { tab: search.tab } : {}), ...next }, replace: true })

  if (isApiError(dataset.error) && dataset.error.status === 404) {
    return (
      <EmptyState page icon={IconTrash} title="There is no such data set" actions={<Button renderRoot={(props) => <Link to="/p/$project/datasets" params={{ project }} {...props} />}>All data sets</Button>}>
        It may have been deleted; deleted data sets can be restored from the list.
      </EmptyState>
    )
  }
  const d = dataset.data
  const version = versions.data?.find((v) => v.number === search.version) ?? versions.data?.[0]
  const write = can('dataset.write') && !d?.deleted_at
  const tab = search.tab ?? 'data'

  const restore = async (what: Dataset) => {
    await unwrap(api.POST('/api/v1/projects/{project}/datasets/{dataset}/restore', { params: { path: { project, dataset: what.slug } } }))
    await client.invalidateQueries({ queryKey: keys.datasets(project) })
    notifyDone(`${what.name} is back.`)
  }
  const remove = async (what: Dataset) => {
    try {
      await unwrap(api.DELETE('/api/v1/projects/{project}/datasets/{dataset}', { params: { path } }))
      await navigate({ to: '/p/$project/datasets', params: { project } })
      await client.invalidateQueries({ queryKey: keys.datasets(project) })
      notifyUndo(`Deleted ${what.name}.`, () => restore(what))
    } catch (error) {
      notifyError(error)
    }
  }

  return (
    <>
      <PageHeader
        title={d?.name ?? slug}
        loading={dataset.isPending}
        crumbs={[{ label: 'Data sets', to: '/p/$project/datasets', params: { project } }]}
        badges={
          <>
            {d && <Badge color="gray">{MODALITY[d.modality].label}</Badge>}
            {version && <StatusBadge status={version.status} hint={version.status === 'frozen' ? 'This version can never change.' : undefined} />}
          </>
        }
        description={
          version &&
          d && (
            <span className="tabular">
              {count(version.item_count)} {version.item_count === 1 ? MODALITY[d.modality].item : MODALITY[d.modality].items}
              {d.modality === 'table' ? ` · ${count(version.columns.length)} columns` : ''} · {bytes(version.size)}
              {version.digest && (
                <Tooltip label={`Digest of the frozen version: ${version.digest}`} multiline maw={320}>
                  <span> · {shortDigest(version.digest)}</span>
                </Tooltip>
              )}
            </span>
          )
        }
        actions={
          <>
            {versions.data && version && (
              <Select
                aria-label="Version"
                w={{ base: 160, sm: 190 }}
                allowDeselect={false}
                value={String(version.number)}
                data={versions.data.map((v) => ({ value: String(v.number), label: `Version ${v.number}${v.status === 'frozen' ? '' : ` (${v.status})`}` }))}
                onChange={(number) => number && go({ version: Number(number) })}
                renderOption={({ option }) => {
                  const v = versions.data.find((x) => String(x.number) === option.value)
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
            )}
            {version && d && <DownloadMenu project={project} dataset={d} version={version} />}
            {version && (versions.data?.length ?? 0) > 1 && (
              <Tooltip label="Compare with another version">
                <ActionIcon
                  aria-label="Compare versions"
                  variant="default"
                  renderRoot={(props) => <Link to="/p/$project/datasets/$dataset/compare" params={path} search={{ to: Math.max(version.number, 2), since: Math.max(version.number, 2) - 1 }} {...props} />}
                >
                  <IconGitCompare size={17} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
            {write && version?.status === 'frozen' && (
              <Button leftSection={<IconRoute size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/templates" params={{ project }} search={{ dataset: slug }} {...props} />}>
                Use in a pipeline
              </Button>
            )}
            {write && d && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon aria-label="More" variant="default">
                    <IconDotsVertical size={17} aria-hidden />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconCloudUpload size={16} aria-hidden />} onClick={() => setAdding([])}>
                    Upload a new version
                  </Menu.Item>
                  {can('dataset.delete') && (
                    <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void remove(d)}>
                      Delete the data set
                    </Menu.Item>
                  )}
                </Menu.Dropdown>
              </Menu>
            )}
          </>
        }
      />
      <ErrorNotice error={dataset.error ?? versions.error} onRetry={() => void Promise.all([dataset.refetch(), versions.refetch()])} />
      {d?.deleted_at && (
        <Alert color="yellow" mb="md" title="This data set is deleted">
          <Button size="xs" mt={4} variant="default" onClick={() => restore(d).catch(notifyError)}>
            Restore it
          </Button>
        </Alert>
      )}
      {version?.problems && version.problems.length > 0 && version.status !== 'frozen' && (
        <Alert color="red" mb="md" title="This version could not be frozen">
          <ProblemList problems={version.problems.map((p) => ({ field: p.field ?? '', message: p.message, expected: p.expected ?? '' }))} />
        </Alert>
      )}
      {version?.status === 'freezing' && (
        <Alert color="blue" mb="md" icon={<Loader size={16} aria-hidden />} title="Freezing this version">
          Every value is written once more with its type. You can leave this page.
        </Alert>
      )}
      {version?.status === 'draft' && d && write && <DraftBar project={project} dataset={d} version={version} />}
      {version?.status === 'draft' && version.reading && write && <ReadingPanel key={`reading-${version.number}`} project={project} dataset={slug} version={version} reading={version.reading} />}
      {dataset.isPending || versions.isPending ? (
        <Skeleton h={360} radius="md" />
      ) : (
        d && (
          // How much of the window's height stands above the rows, so that they end where the window does.
          <Tabs style={{ '--hr-above': version?.status === 'draft' && write ? (version.reading ? '540px' : '450px') : '330px' } as CSSProperties} value={tab} onChange={(value) => go({ tab: value === 'data' ? undefined : (value as Tab) })}>
            <Tabs.List mb="md">
              <Tabs.Tab value="data">{capitalised(MODALITY[d.modality].items)}</Tabs.Tab>
              <Tabs.Tab value="profile">Profile</Tabs.Tab>
              <Tabs.Tab value="about">About</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="data">
              {!version ? (
                <EmptyState icon={IconCloudUpload} title="No version yet">
                  Upload a file to make the first.
                </EmptyState>
              ) : d.modality === 'table' ? (
                <TableView key={version.number} project={project} dataset={slug} version={version} editable={write && version.status === 'draft'} />
              ) : d.modality === 'text' ? (
                <TextList key={version.number} project={project} dataset={slug} version={version.number} />
              ) : (
                <Gallery key={version.number} project={project} dataset={slug} version={version.number} modality={d.modality} />
              )}
            </Tabs.Panel>
            <Tabs.Panel value="profile">{version && <Profile key={version.number} project={project} dataset={d} version={version} />}</Tabs.Panel>
            <Tabs.Panel value="about">
              <About key={d.updated_at} project={project} dataset={d} versions={versions.data ?? []} readOnly={!write} onVersion={(number) => go({ version: number, tab: undefined })} />
            </Tabs.Panel>
          </Tabs>
        )
      )}
      {write && d && (
        <>
          <PageDrop onSources={setAdding} disabled={adding !== null} hint={`It becomes a new version of ${d.name}.`} />
          <NewVersion project={project} dataset={d} sources={adding} onClose={() => setAdding(null)} onSources={setAdding} />
        </>
      )}
    </>
  )
}

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

function DownloadMenu({ project, dataset, version }: { project: string; dataset: Dataset; version: Version }) {
  const formats = dataset.modality === 'table' ? [['csv', 'CSV'], ['parquet', 'Parquet'], ['jsonl', 'JSON Lines']] : dataset.modality === 'text' ? [['zip', 'Texts as zip'], ['jsonl', 'JSON Lines'], ['csv', 'CSV']] : [['zip', `${capitalised(MODALITY[dataset.modality].items)} as zip`], ['csv', 'List as CSV'], ['parquet', 'List as Parquet']]
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />}>
          Download
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Version {version.number}</Menu.Label>
        {formats.map(([format, label]) => (
          <Menu.Item key={format} component="a" href={`/api/v1/projects/${project}/datasets/${dataset.slug}/versions/${version.number}/download?format=${format}`} download>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** Dropped or chosen files become the next version: instead of what is there, or in addition to it. */
function NewVersion({ project, dataset, sources, onSources, onClose }: { project: string; dataset: Dataset; sources: Source[] | null; onSources: (sources: Source[]) => void; onClose: () => void }) {
  const [mode, setMode] = useState<'replace' | 'append'>('replace')
  const source = sources?.[0]
  return (
    <Modal opened={sources !== null} onClose={onClose} title={<Text fw={620}>New version of {dataset.name}</Text>}>
      <Stack gap="md">
        {source ? (
          <Text size="sm">
            <b>{source.filename}</b>, {bytes(source.blob.size)}
            {(sources?.length ?? 0) > 1 ? `. Of the ${sources?.length} things you dropped only this one: a version comes from one file or folder.` : ''}
          </Text>
        ) : (
          <UploadButton label="Choose what to upload" variant="default" multiple={false} onSources={onSources} />
        )}
        <Radio.Group label="The new version has" value={mode} onChange={(value) => setMode(value as typeof mode)}>
          <Stack gap="xs" mt="xs">
            <Radio value="replace" label={`only what is uploaded now`} description="The versions before stay as they are." />
            <Radio value="append" label={`everything of the newest version, and what is uploaded now`} description="The columns must fit." />
          </Stack>
        </Radio.Group>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={!source}
            onClick={() => {
              if (source) uploads.add(project, source, { dataset: dataset.slug, name: dataset.name, mode })
              onClose()
            }}
          >
            Upload
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
