/** One model: its versions, and of the chosen one its metrics, card, input and output, lineage and parity. */
import { ActionIcon, Anchor, Badge, Button, Code, Group, Menu, Skeleton, Stack, Table, Tabs, Text, Textarea, TextInput, Title, Tooltip } from '@mantine/core'
import { IconBox, IconCheck, IconDots, IconPencil, IconRocket, IconTag, IconX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, bytes, dateTime, humanise, number, score } from '@/lib/format'
import { byImportance, metricName } from '@/lib/metrics'
import { ArtifactPreview, asMetric, downloadUrl, MetricTable, type MetricValue } from '@/ui/artifact'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { notifyDone, notifyError } from '@/ui/confirm'
import { Missing } from '@/ui/Missing'
import { PageHeader } from '@/ui/PageHeader'
import { StackedTable } from '@/ui/StackedTable'
import { LineageView } from './LineageView'

type Version = Schemas['ModelVersionOut']
type Field = { name: string; type: string; required?: boolean; choices?: unknown[]; example?: unknown }

export function ModelPage() {
  const project = useProjectSlug()
  const { model: slug = '' } = useParams({ strict: false })
  const search = useSearch({ strict: false }) as { version?: number; tab?: string }
  const navigate = useNavigate()
  const can = useCan()
  const client = useQueryClient()
  const model = useQuery({
    queryKey: [...keys.models(project), slug],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models/{model}', { params: { path: { project, model: slug } } })),
  })
  const versions = useQuery({
    queryKey: [...keys.models(project), slug, 'versions'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models/{model}/versions', { params: { path: { project, model: slug } } })),
  })
  const version = versions.data?.find((v) => v.number === Number(search.version)) ?? versions.data?.[0]
  const deploy = useMutation({
    mutationFn: (number: number) => unwrap(api.POST('/api/v1/projects/{project}/endpoints', { params: { path: { project } }, body: { model: `${slug}@${number}` } })),
    onSuccess: (endpoint) => {
      void client.invalidateQueries({ queryKey: keys.endpoints(project) })
      void navigate({ to: '/p/$project/endpoints/$endpoint', params: { project, endpoint: endpoint.slug } })
    },
    onError: notifyError,
  })
  const crumbs = [{ label: 'Models', to: '/p/$project/models' as const, params: { project } }]
  if (model.error && !model.data) {
    return (
      <Missing error={model.error} onRetry={() => void model.refetch()} what="model" icon={IconBox} crumb={crumbs[0]!}>
        The address may be mistyped. A model appears in the list when a run registers it.
      </Missing>
    )
  }
  return (
    <>
      <PageHeader
        title={model.data?.name ?? slug}
        loading={!model.data}
        crumbs={crumbs}
        badges={
          model.data && (
            <Group gap={6}>
              <Badge color="gray">{humanise(model.data.task)}</Badge>
              {model.data.endpoints.map((endpoint) => (
                <Badge
                  key={endpoint}
                  color="green"
                  style={{ cursor: 'pointer' }}
                  renderRoot={(props) => <Link to="/p/$project/endpoints/$endpoint" params={{ project, endpoint }} {...props} />}
                >
                  answers at {endpoint}
                </Badge>
              ))}
            </Group>
          )
        }
        description={model.data && <Description project={project} model={model.data} editable={can('model.write')} />}
        actions={
          version &&
          can('endpoint.deploy') && (
            <Button leftSection={<IconRocket size={16} aria-hidden />} loading={deploy.isPending} onClick={() => deploy.mutate(version.number)}>
              Deploy version {version.number}
            </Button>
          )
        }
      />
      <ErrorNotice error={versions.error} onRetry={() => void versions.refetch()} />
      {!versions.data && <Skeleton h={320} />}
      {versions.data && version && model.data && (
        <Stack gap="lg">
          <VersionTable
            project={project}
            model={model.data}
            versions={versions.data}
            chosen={version.number}
            onChoose={(number) => void navigate({ to: '.', search: (before) => ({ ...before, version: number }), replace: true, resetScroll: false })}
            editable={can('model.write')}
          />
          <VersionDetail
            project={project}
            version={version}
            tab={search.tab ?? 'metrics'}
            onTab={(tab) => void navigate({ to: '.', search: (before) => ({ ...before, tab }), replace: true, resetScroll: false })}
          />
        </Stack>
      )}
    </>
  )
}

function Description({ project, model, editable }: { project: string; model: Schemas['ModelOut']; editable: boolean }) {
  const client = useQueryClient()
  const [text, setText] = useState<string | null>(null)
  const save = useMutation({
    mutationFn: (description: string) => unwrap(api.PATCH('/api/v1/projects/{project}/models/{model}', { params: { path: { project, model: model.slug } }, body: { description } })),
    onSuccess: () => {
      setText(null)
      void client.invalidateQueries({ queryKey: keys.models(project) })
    },
    onError: notifyError,
  })
  if (text !== null) {
    return (
      <Stack gap="xs">
        <Textarea aria-label="Description" autosize minRows={2} value={text} onChange={(event) => setText(event.currentTarget.value)} data-autofocus />
        <Group gap="xs">
          <Button size="compact-sm" loading={save.isPending} onClick={() => save.mutate(text)}>
            Save
          </Button>
          <Button size="compact-sm" variant="default" onClick={() => setText(null)}>
            Cancel
          </Button>
        </Group>
      </Stack>
    )
  }
  return (
    <Group gap={4}>
      <span>{model.description || 'No description yet.'}</span>
      {editable && (
        <ActionIcon size={24} aria-label="Edit the description" onClick={() => setText(model.description)}>
          <IconPencil size={14} aria-hidden />
        </ActionIcon>
      )}
    </Group>
  )
}

function VersionTable({ project, model, versions, chosen, onChoose, editable }: { project: string; model: Schemas['ModelOut']; versions: Version[]; chosen: number; onChoose: (number: number) => void; editable: boolean }) {
  const headline = [...new Set(versions.flatMap((v) => Object.keys(v.metrics)))].sort(byImportance).slice(0, 3)
  return (
    <StackedTable minWidth={560} highlightOnHover fz="sm" aria-label="Versions">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Version</Table.Th>
            <Table.Th>Aliases</Table.Th>
            {headline.map((name) => (
              <Table.Th key={name} ta="right">
                {metricName(name)}
              </Table.Th>
            ))}
            <Table.Th pl="xl">From</Table.Th>
            <Table.Th>When</Table.Th>
            <Table.Th w={56}>
              <span className="visually-hidden">Aliases</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {versions.map((version) => (
            <Table.Tr key={version.id} bg={version.number === chosen ? 'var(--hr-selected)' : undefined} aria-selected={version.number === chosen}>
              <Table.Td>
                <Anchor component="button" size="sm" fw={600} onClick={() => onChoose(version.number)}>
                  v{version.number}
                </Anchor>{' '}
                <Text span size="xs" c="dimmed">
                  {version.framework}
                </Text>
              </Table.Td>
              <Table.Td data-label={version.aliases.length > 0 ? 'Aliases' : undefined}>
                <Group gap={4}>
                  {version.aliases.map((alias) => (
                    <Badge key={alias} color="violet" size="sm">
                      {alias}
                    </Badge>
                  ))}
                </Group>
              </Table.Td>
              {headline.map((name) => (
                <Table.Td key={name} ta="right" data-label={metricName(name)}>
                  {score(asMetric(version.metrics[name] as MetricValue | number).value)}
                </Table.Td>
              ))}
              <Table.Td pl="xl" data-label="From">
                {version.run ? (
                  <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project, run: version.run as string }} {...props} />}>
                    run #{version.run_number}
                  </Anchor>
                ) : (
                  '–'
                )}
              </Table.Td>
              <Table.Td data-label="When">
                <Tooltip label={dateTime(version.created_at)}>
                  <span>{ago(version.created_at)}</span>
                </Tooltip>
              </Table.Td>
              <Table.Td ta="right">{editable && <AliasMenu project={project} model={model} version={version} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
    </StackedTable>
  )
}

function AliasMenu({ project, model, version }: { project: string; model: Schemas['ModelOut']; version: Version }) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const done = (message: string) => {
    notifyDone(message)
    void client.invalidateQueries({ queryKey: keys.models(project) })
  }
  const set = useMutation({
    mutationFn: (alias: string) =>
      unwrap(api.PUT('/api/v1/projects/{project}/models/{model}/aliases/{alias}', { params: { path: { project, model: model.slug, alias } }, body: { version: version.number } })),
    onSuccess: (_, alias) => done(`${alias} now names version ${version.number}.`),
    onError: notifyError,
  })
  const remove = useMutation({
    mutationFn: (alias: string) => unwrap(api.DELETE('/api/v1/projects/{project}/models/{model}/aliases/{alias}', { params: { path: { project, model: model.slug, alias } } })),
    onSuccess: (_, alias) => done(`${alias} names no version any more.`),
    onError: notifyError,
  })
  const offered = [...new Set(['champion', 'challenger', ...Object.keys(model.aliases)])].filter((alias) => !version.aliases.includes(alias))
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <ActionIcon aria-label={`Aliases of version ${version.number}`}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {offered.map((alias) => (
          <Menu.Item key={alias} leftSection={<IconTag size={14} aria-hidden />} onClick={() => set.mutate(alias)}>
            Make it {alias}
          </Menu.Item>
        ))}
        {version.aliases.map((alias) => (
          <Menu.Item key={alias} leftSection={<IconX size={14} aria-hidden />} onClick={() => remove.mutate(alias)}>
            Take {alias} away
          </Menu.Item>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (name) set.mutate(name)
            setName('')
          }}
        >
          <TextInput m={6} size="xs" aria-label="Another alias" placeholder="another alias" value={name} onChange={(event) => setName(event.currentTarget.value.toLowerCase())} rightSection={<IconCheck size={14} aria-hidden />} />
        </form>
      </Menu.Dropdown>
    </Menu>
  )
}

function VersionDetail({ project, version, tab, onTab }: { project: string; version: Version; tab: string; onTab: (tab: string) => void }) {
  const artifact = { id: version.artifact, kind: 'Model', digest: '', size: version.size, media_type: '', metadata: {}, created_at: version.created_at } as Schemas['ArtifactOut']
  const parity = version.parity as { largest_difference?: number; rows?: number; tolerance?: number }
  return (
    <section aria-label={`Version ${version.number}`}>
      <Group justify="space-between" mb="xs">
        <Title order={2}>Version {version.number}</Title>
        <Group gap="xs">
          <Text size="sm" c="dimmed">
            ONNX, {bytes(version.size)}
          </Text>
          <Button component="a" href={downloadUrl(project, version.artifact)} download size="compact-sm" variant="default">
            Download
          </Button>
        </Group>
      </Group>
      {parity.largest_difference !== undefined && (
        <Text size="sm" c="dimmed" mb="sm">
          Checked on publishing: over {number(parity.rows)} inputs the published model’s answers differ from the original’s by at most {number(parity.largest_difference, 3)} (allowed {number(parity.tolerance, 3)}).
        </Text>
      )}
      <Tabs value={tab} onChange={(value) => onTab(value ?? 'metrics')}>
        <Tabs.List mb="md">
          <Tabs.Tab value="metrics">Metrics</Tabs.Tab>
          <Tabs.Tab value="card">Model card</Tabs.Tab>
          <Tabs.Tab value="schema">Input and output</Tabs.Tab>
          <Tabs.Tab value="lineage">Lineage</Tabs.Tab>
          <Tabs.Tab value="parameters">Parameters</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="metrics">
          {Object.keys(version.metrics).length > 0 ? <MetricTable values={version.metrics as Record<string, MetricValue>} /> : <Text c="dimmed">Registered without metrics.</Text>}
        </Tabs.Panel>
        <Tabs.Panel value="card">
          <ArtifactPreview project={project} artifact={artifact} />
        </Tabs.Panel>
        <Tabs.Panel value="schema">
          <Contract manifest={version.manifest} />
        </Tabs.Panel>
        <Tabs.Panel value="lineage">
          <LineageView project={project} type="model_version" id={version.id} />
        </Tabs.Panel>
        <Tabs.Panel value="parameters">
          <Parameters value={version.parameters} titles={(version.manifest.training as { titles?: Record<string, string> } | undefined)?.titles ?? {}} />
        </Tabs.Panel>
      </Tabs>
    </section>
  )
}

/** What it was trained with, a row each, called as in the step's form; what is itself a list or an object as it was written. */
function Parameters({ value, titles }: { value: Record<string, unknown>; titles: Record<string, string> }) {
  const rows = Object.entries(value)
  if (rows.length === 0) return <Text c="dimmed">No parameters are recorded.</Text>
  return (
    <Table fz="sm" verticalSpacing={6} maw={720} variant="vertical">
      <Table.Tbody>
        {rows.map(([name, one]) => (
          <Table.Tr key={name}>
            <Table.Th w={220} fw={500}>
              {titles[name] ?? humanise(name)}
            </Table.Th>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>
              {one !== null && typeof one === 'object' ? <Code block>{JSON.stringify(one, null, 2)}</Code> : typeof one === 'number' ? number(one, 6) : one === null || one === '' ? '–' : typeof one === 'boolean' ? (one ? 'yes' : 'no') : String(one)}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function gives(output: { kind?: string; labels?: unknown[]; threshold?: number } | undefined): string {
  const labels = (output?.labels ?? []).slice(0, 20).join(', ')
  if (output?.kind === 'classification') return `One of ${output.labels?.length ?? 0} labels with probabilities: ${labels}`
  if (output?.kind === 'detection') return `Boxes around what it finds, in percent of the picture, each with a score; those from a score of ${number(output.threshold)} on are told, others as unsure. Labels: ${labels}`
  if (output?.kind === 'spans') return `The spans of the text that are one of ${output.labels?.length ?? 0} labels, each with its place and how sure it is: ${labels}`
  return 'A number.'
}

/** What the model takes and gives. */
function Contract({ manifest }: { manifest: Record<string, unknown> }) {
  const input = manifest.input as { kind: string; columns?: Field[]; width?: number; height?: number; channels?: number } | undefined
  const output = manifest.output as { kind?: string; labels?: unknown[]; threshold?: number } | undefined
  return (
    <Stack gap="md">
      <div>
        <Text fw={600} size="sm" mb={4}>
          Takes
        </Text>
        {input?.kind === 'image' ? (
          <Text size="sm">
            An image file; it is brought to {input.width} × {input.height} pixels, {input.channels === 1 ? 'grey' : 'colour'}.
          </Text>
        ) : (
          <Table fz="sm" maw={720}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Column</Table.Th>
                <Table.Th>Type</Table.Th>
                <Table.Th>Needed</Table.Th>
                <Table.Th>For example</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {input?.columns?.map((column) => (
                <Table.Tr key={column.name}>
                  <Table.Td>{column.name}</Table.Td>
                  <Table.Td>{column.type}</Table.Td>
                  <Table.Td>{column.required ? 'yes' : 'may be missing'}</Table.Td>
                  <Table.Td style={{ overflowWrap: 'anywhere' }}>
                    <Text size="sm" inherit lineClamp={3}>
                      {column.example === undefined || column.example === null ? '' : String(column.example)}
                    </Text>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </div>
      <div>
        <Text fw={600} size="sm" mb={4}>
          Gives
        </Text>
        <Text size="sm">{gives(output)}</Text>
      </div>
    </Stack>
  )
}
