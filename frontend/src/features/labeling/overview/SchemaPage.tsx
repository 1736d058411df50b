/** One label schema: how far its queue is, who did what, the items, the question, who is assigned, and labels as data. */
import { Badge, Button, Group, Menu, Tabs, ActionIcon } from '@mantine/core'
import { IconChecks, IconDots, IconFileExport, IconFileImport, IconPencil, IconRefresh, IconSparkles, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { notifyDone, notifyError, notifyUndo } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { schemaQuery, useLabelingLive, useRefresh } from '../data'
import { ExportDialog } from '../exchange/ExportDialog'
import { ImportDialog } from '../exchange/ImportDialog'
import { ExploreTab } from '../explore/ExploreTab'
import { LearnTab } from '../learn/LearnTab'
import { Assignments } from './Assignments'
import { Items } from './Items'
import { SuggestDialog } from '../suggest/SuggestDialog'
import { Progress } from './Progress'
import { Quality } from './quality/Quality'
import { QualitySettings } from './quality/QualitySettings'
import { SchemaSettings } from './SchemaSettings'
import { SyncTab } from './SyncTab'
import { WordingTab } from './WordingTab'
import { Faces, usePresence } from '../together/presence'

export function SchemaPage() {
  const project = useProjectSlug()
  const { schema: slug = '' } = useParams({ strict: false })
  const { tab = 'progress' } = useSearch({ strict: false }) as { tab?: string }
  const navigate = useNavigate()
  const can = useCan()
  const [dialog, setDialog] = useState<'export' | 'import' | 'suggest' | null>(null)
  const refresh = useRefresh(project)
  useLabelingLive(project)
  const query = useQuery(schemaQuery(project, slug))
  const schema = query.data
  const here = usePresence(project, schema)
  const path = { project, label_schema: slug }
  const remove = async () => {
    try {
      await unwrap(api.DELETE('/api/v1/projects/{project}/label-schemas/{label_schema}', { params: { path } }))
      await navigate({ to: '/p/$project/labels', params: { project } })
      await refresh()
      notifyUndo(`Deleted ${schema?.name ?? slug}.`, async () => {
        await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/restore', { params: { path } }))
        await refresh()
      })
    } catch (failure) {
      notifyError(failure)
    }
  }
  const fill = async () => {
    try {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/fill', { params: { path } }))
      await refresh()
      notifyDone('The queue is being brought to the newest version of the data.')
    } catch (failure) {
      notifyError(failure)
    }
  }
  return (
    <>
      <PageHeader
        title={schema?.name ?? slug}
        crumbs={[{ label: 'Labels', to: '/p/$project/labels', params: { project } }]}
        loading={query.isPending}
        description={schema && `${schema.dataset_name}, version ${schema.filled || '–'} · wording ${schema.version} · ${schema.overlap === 1 ? 'one person' : `${schema.overlap} people`} for each item${schema.together === 'shared' ? ', together' : schema.blind && schema.overlap > 1 ? ', blind' : ''}`}
        badges={schema && (schema.fill_status === 'failed' ? <Badge color="red">queue not filled</Badge> : schema.fill_status !== 'ready' ? <Badge color="gray">being filled</Badge> : null)}
        actions={
          schema && (
            <>
              <Faces people={here.map(({ user, doing }) => ({ id: user.id, name: user.name || user.email, words: `is ${doing === 'looking' ? 'here' : doing} now` }))} />
              {can('label.annotate') && (
                <Button leftSection={<IconPencil size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/$schema/label" params={{ project, schema: slug }} {...props} />}>
                  Label
                </Button>
              )}
              {can('label.review') && (
                <Button variant="default" leftSection={<IconChecks size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/$schema/review" params={{ project, schema: slug }} {...props} />}>
                  Review{schema.progress.to_review > 0 ? ` (${schema.progress.to_review.toLocaleString()})` : ''}
                </Button>
              )}
              <Menu position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="default" size="lg" aria-label="More">
                    <IconDots size={18} aria-hidden />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item leftSection={<IconFileExport size={16} aria-hidden />} onClick={() => setDialog('export')}>
                    Export labels
                  </Menu.Item>
                  {can('label.manage') && (
                    <>
                      <Menu.Item leftSection={<IconSparkles size={16} aria-hidden />} onClick={() => setDialog('suggest')}>
                        Suggestions by a model
                      </Menu.Item>
                      <Menu.Item leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setDialog('import')}>
                        Import labels
                      </Menu.Item>
                      <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} disabled={schema.newest_data === schema.filled && schema.fill_status === 'ready'} onClick={() => void fill()}>
                        Fill from version {schema.newest_data} of the data
                      </Menu.Item>
                      <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => void remove()}>
                        Delete
                      </Menu.Item>
                    </>
                  )}
                </Menu.Dropdown>
              </Menu>
            </>
          )
        }
      />
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {schema && <SuggestDialog schema={schema} opened={dialog === 'suggest'} onClose={() => setDialog(null)} />}
      {schema && <ExportDialog schema={schema} opened={dialog === 'export'} onClose={() => setDialog(null)} />}
      {schema && <ImportDialog schema={schema} opened={dialog === 'import'} onClose={() => setDialog(null)} />}
      {schema && (
        <Tabs value={tab} onChange={(chosen) => void navigate({ to: '.', search: { tab: chosen ?? 'progress' }, replace: true })} keepMounted={false}>
          <Tabs.List mb="md">
            <Tabs.Tab value="progress">Progress</Tabs.Tab>
            <Tabs.Tab value="items">Items</Tabs.Tab>
            {can('label.annotate') && <Tabs.Tab value="quality">Quality</Tabs.Tab>}
            <Tabs.Tab value="explore">Explore</Tabs.Tab>
            <Tabs.Tab value="learn">Learn</Tabs.Tab>
            <Tabs.Tab value="question">Question</Tabs.Tab>
            <Tabs.Tab value="assignments">Assignments</Tabs.Tab>
            {can('label.manage') && <Tabs.Tab value="sync">Label Studio</Tabs.Tab>}
            {can('label.manage') && <Tabs.Tab value="settings">Settings</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="progress">
            <Progress schema={schema} />
          </Tabs.Panel>
          <Tabs.Panel value="items">
            <Items schema={schema} />
          </Tabs.Panel>
          <Tabs.Panel value="quality">
            <Quality schema={schema} />
          </Tabs.Panel>
          <Tabs.Panel value="explore">
            <ExploreTab schema={schema} />
          </Tabs.Panel>
          <Tabs.Panel value="learn">
            <LearnTab schema={schema} />
          </Tabs.Panel>
          <Tabs.Panel value="question">
            <WordingTab schema={schema} />
          </Tabs.Panel>
          <Tabs.Panel value="assignments">
            <Assignments schema={schema} />
          </Tabs.Panel>
          <Tabs.Panel value="sync">{can('label.manage') && <SyncTab schema={schema} />}</Tabs.Panel>
          <Tabs.Panel value="settings">
            <Group align="flex-start">
              <SchemaSettings key={schema.updated_at} schema={schema} />
              <QualitySettings key={`quality-${schema.updated_at}`} schema={schema} />
            </Group>
          </Tabs.Panel>
        </Tabs>
      )}
    </>
  )
}
