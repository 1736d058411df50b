/** A new label schema: which data, what is asked, by how many people. */
import { Alert, Anchor, Button, Group, NumberInput, Paper, Select, SimpleGrid, Slider, Stack, Switch, Text, Textarea, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, isApiError, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { IconDatabase } from '@tabler/icons-react'
import { useRefresh, type LabelSchema } from '../data'
import { TogetherField } from '../together/TogetherField'
import { Preview, Question, useChecked, type Wording } from './Question'
import { begun, takesLabels, toXml } from './templates'

export function NewSchemaPage() {
  const project = useProjectSlug()
  const search = useSearch({ strict: false }) as { dataset?: string }
  const navigate = useNavigate()
  const refresh = useRefresh(project)
  const datasets = useQuery({ queryKey: [...keys.datasets(project), 'all'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets', { params: { path: { project }, query: { limit: 200 } } })) })
  const [slug, setSlug] = useState(search.dataset ?? '')
  const dataset = datasets.data?.items.find((one) => one.slug === slug)
  const version = useQuery({
    queryKey: [...keys.datasets(project), slug, 'versions'],
    enabled: dataset !== undefined,
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions', { params: { path: { project, dataset: slug } } })),
  }).data?.find((one) => one.status === 'frozen')
  const modality = dataset?.modality ?? 'images'
  const columns = version?.columns.map((column) => column.name) ?? []
  const column = version?.columns.find((one) => one.type === 'text')?.name ?? columns[0] ?? ''
  const [typed, setName] = useState<string | null>(null)
  const name = typed ?? dataset?.name ?? ''
  const [edited, setEdited] = useState<{ of: string; wording: Wording } | null>(null)
  const [guidelines, setGuidelines] = useState('')
  const [overlap, setOverlap] = useState<number | string>(1)
  const [share, setShare] = useState(100)
  const [together, setTogether] = useState<LabelSchema['together']>('blind')
  const [random, setRandom] = useState(false)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)

  const first = begun(modality, column, columns)
  const wording: Wording = edited?.of === `${slug} ${column}` ? edited.wording : { by: 'form', built: first, xml: toXml(first, modality) }
  const checked = useChecked(slug && version ? wording.xml : '', slug || undefined)
  const empty = wording.by === 'form' && takesLabels(wording.built.kind) && wording.built.labels.length === 0
  const usable = Boolean(dataset && version && name.trim() && !empty && checked.data?.config && checked.data.problems.length === 0)

  const make = async () => {
    setBusy(true)
    setError(null)
    try {
      const made = await unwrap(
        api.POST('/api/v1/projects/{project}/label-schemas', {
          params: { path: { project } },
          body: { name, dataset: slug, xml: wording.xml, guidelines, overlap: together === 'shared' ? 1 : Number(overlap) || 1, review_share: share / 100, together, order: random ? 'random' : 'sequential' },
        }),
      )
      await refresh()
      await navigate({ to: '/p/$project/labels/$schema', params: { project, schema: made.slug } })
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const list = datasets.data?.items ?? []
  return (
    <>
      <PageHeader title="New label schema" crumbs={[{ label: 'Labels', to: '/p/$project/labels', params: { project } }]} description="Say what people shall look for. It can be reworded later; nothing that was said is lost." />
      <ErrorNotice error={datasets.error} onRetry={() => void datasets.refetch()} />
      {datasets.data && list.length === 0 ? (
        <EmptyState icon={IconDatabase} title="There is no data yet" actions={<Button renderRoot={(props) => <Link to="/p/$project/datasets" params={{ project }} {...props} />}>Upload data</Button>}>
          Labels are said about the items of a data set.
        </EmptyState>
      ) : (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
          <Stack gap="md">
            <Paper p="md" withBorder>
              <Stack gap="sm">
                <Title order={2} size="h4">
                  Data
                </Title>
                <Select
                  label="Data set"
                  placeholder="Choose"
                  searchable
                  allowDeselect={false}
                  data={list.map((one) => ({ value: one.slug, label: `${one.name} (${one.item_count.toLocaleString()})` }))}
                  value={slug || null}
                  onChange={(chosen) => setSlug(chosen ?? '')}
                />
                {dataset && dataset.latest_version === null && (
                  <Alert color="yellow">
                    This data set has no frozen version yet.{' '}
                    <Anchor renderRoot={(props) => <Link to="/p/$project/datasets/$dataset" params={{ project, dataset: slug }} {...props} />}>Freeze one</Anchor>, so that what is labelled stays what it is.
                  </Alert>
                )}
                <TextInput label="Name" value={name} maxLength={120} onChange={(event) => setName(event.currentTarget.value)} />
              </Stack>
            </Paper>
            {version && (
              <>
                <Paper p="md" withBorder>
                  <Stack gap="sm">
                    <Title order={2} size="h4">
                      Question
                    </Title>
                    <Question wording={wording} modality={modality} columns={columns} checked={checked.data} onChange={(changed) => setEdited({ of: `${slug} ${column}`, wording: changed })} />
                    <Textarea label="Guidelines" description="Shown beside the tool, in Markdown: examples, doubtful cases." autosize minRows={3} maxRows={14} value={guidelines} onChange={(event) => setGuidelines(event.currentTarget.value)} />
                  </Stack>
                </Paper>
                <Paper p="md" withBorder>
                  <Stack gap="md">
                    <Title order={2} size="h4">
                      People
                    </Title>
                    <NumberInput label="People for each item" description="More than one shows how far they agree." min={1} max={20} allowDecimal={false} value={overlap} onChange={setOverlap} />
                    <div>
                      <Text size="sm" fw={500} id="review-share">
                        Reviewed: {share} % of what is submitted
                      </Text>
                      <Slider aria-labelledby="review-share" thumbLabel="Share that is reviewed" value={share} onChange={setShare} label={(value) => `${value} %`} mt={6} />
                    </div>
                    <TogetherField value={together} onChange={setTogether} />
                    <Switch label="In random order" checked={random} onChange={(event) => setRandom(event.currentTarget.checked)} />
                  </Stack>
                </Paper>
              </>
            )}
            <ErrorNotice error={isApiError(error) && error.problems.length > 0 ? null : error} />
            <Group>
              <Button disabled={!usable} loading={busy} onClick={() => void make()}>
                Begin to label
              </Button>
              <Button variant="default" renderRoot={(props) => <Link to="/p/$project/labels" params={{ project }} {...props} />}>
                Cancel
              </Button>
            </Group>
          </Stack>
          {version && (
            <div>
              <Title order={2} size="h4" mb="xs">
                What annotators see
              </Title>
              <Preview checked={checked.data} dataset={slug} version={version.number} modality={modality} />
            </div>
          )}
        </SimpleGrid>
      )}
    </>
  )
}
