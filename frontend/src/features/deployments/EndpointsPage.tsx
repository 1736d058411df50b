/** All endpoints with their live numbers, and deploying a model to a new or an existing one. */
import { Anchor, Badge, Button, Group, Modal, Paper, Select, Skeleton, Stack, Table, Text, TextInput } from '@mantine/core'
import { IconApi, IconRocket } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, isApiError, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { count, number, percent } from '@/lib/format'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { StackedTable } from '@/ui/StackedTable'
import { StatusBadge } from '@/ui/StatusBadge'
import { endpointsQuery } from './data'

export function EndpointsPage() {
  const project = useProjectSlug()
  const can = useCan()
  const query = useQuery(endpointsQuery(project))
  const [deploying, setDeploying] = useState(false)
  const deployButton = can('endpoint.deploy') && (
    <Button leftSection={<IconRocket size={16} aria-hidden />} onClick={() => setDeploying(true)}>
      Deploy a model
    </Button>
  )
  return (
    <>
      <PageHeader title="Endpoints" description="Stable addresses where models answer. Replace the model behind one without failing a request, and roll back with one click." actions={deployButton} />
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={160} />}
      {query.data?.length === 0 && (
        <EmptyState icon={IconApi} title="Nothing is deployed yet" actions={deployButton}>
          Choose a model version and press Deploy: it answers within seconds, here in the page and over HTTP.
        </EmptyState>
      )}
      {query.data && query.data.length > 0 && (
        <Paper component="section" aria-label="Endpoints" style={{ overflow: 'hidden' }}>
          <StackedTable minWidth={780} highlightOnHover fz="sm" aria-label="Endpoints">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Endpoint</Table.Th>
                  <Table.Th>Status</Table.Th>
                  <Table.Th>Model</Table.Th>
                  <Table.Th ta="right">Requests a minute</Table.Th>
                  <Table.Th ta="right">Latency, median / 95 %</Table.Th>
                  <Table.Th ta="right">Errors</Table.Th>
                  <Table.Th ta="right">Answers</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {query.data.map((endpoint) => (
                  <Table.Tr key={endpoint.id}>
                    <Table.Td>
                      <Anchor fw={600} size="sm" renderRoot={(props) => <Link to="/p/$project/endpoints/$endpoint" params={{ project, endpoint: endpoint.slug }} {...props} />}>
                        {endpoint.name}
                      </Anchor>
                    </Table.Td>
                    <Table.Td miw={104} data-label="Status">
                      <StatusBadge status={endpoint.status} />
                    </Table.Td>
                    <Table.Td data-label="Model">
                      {endpoint.current ? (
                        <Group gap={6}>
                          <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/models/$model" params={{ project, model: endpoint.current?.model ?? '' }} {...props} />}>
                            {endpoint.current.model}
                          </Anchor>
                          <Badge size="sm" color="gray">
                            v{endpoint.current.model_version}
                          </Badge>
                        </Group>
                      ) : (
                        '–'
                      )}
                    </Table.Td>
                    <Table.Td ta="right" data-label="Requests a minute">{number(endpoint.requests_per_minute, 3)}</Table.Td>
                    <Table.Td ta="right" data-label="Latency, median / 95 %">
                      {endpoint.latency_ms_p50 === null ? '–' : `${number(endpoint.latency_ms_p50, 3)} / ${number(endpoint.latency_ms_p95, 3)} ms`}
                    </Table.Td>
                    <Table.Td ta="right" data-label="Errors">{percent(endpoint.error_rate)}</Table.Td>
                    <Table.Td ta="right" data-label="Answers">{count(endpoint.predictions)}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
          </StackedTable>
        </Paper>
      )}
      <Modal opened={deploying} onClose={() => setDeploying(false)} title="Deploy a model">
        {deploying && <DeployForm project={project} onClose={() => setDeploying(false)} />}
      </Modal>
    </>
  )
}

export function DeployForm({ project, endpoint, onClose }: { project: string; endpoint?: string; onClose: () => void }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const models = useQuery({ queryKey: [...keys.models(project), 'list', ''], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models', { params: { path: { project } } })) })
  const [model, setModel] = useState<string | null>(null)
  const versions = useQuery({
    queryKey: [...keys.models(project), model, 'versions'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models/{model}/versions', { params: { path: { project, model: model ?? '' } } })),
    enabled: model !== null,
  })
  const [version, setVersion] = useState<string | null>(null)
  const [name, setName] = useState('')
  const deploy = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/projects/{project}/endpoints', {
          params: { path: { project } },
          body: { model: version ? `${model}@${version}` : (model ?? ''), endpoint: endpoint ?? null, name: endpoint ? null : name || null },
        }),
      ),
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: keys.endpoints(project) })
      onClose()
      void navigate({ to: '/p/$project/endpoints/$endpoint', params: { project, endpoint: made.slug } })
    },
  })
  const fields = isApiError(deploy.error) ? deploy.error.fields : {}
  if (models.data?.length === 0) {
    return (
      <EmptyState icon={IconRocket} title="There is no model yet" compact>
        Run a pipeline with the step “Register a model”, then come back.
      </EmptyState>
    )
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        deploy.mutate()
      }}
    >
      <Stack gap="md">
        <Select
          label="Model"
          data={(models.data ?? []).map((m) => ({ value: m.slug, label: m.name }))}
          value={model}
          onChange={(value) => {
            setModel(value)
            setVersion(null)
          }}
          error={fields.model}
          searchable
          required
          data-autofocus
        />
        <Select
          label="Version"
          placeholder="The newest"
          data={(versions.data ?? []).map((v) => ({ value: String(v.number), label: `v${v.number}${v.aliases.length ? ` (${v.aliases.join(', ')})` : ''}` }))}
          value={version}
          onChange={setVersion}
          disabled={!model}
          clearable
        />
        {!endpoint && (
          <TextInput label="Endpoint" description="Its name becomes the address. Left empty, it is named after the model." value={name} onChange={(event) => setName(event.currentTarget.value)} error={fields.endpoint ?? fields.name} maxLength={60} />
        )}
        <ErrorNotice error={deploy.error} />
        <Text size="xs" c="dimmed">
          It answers within seconds. What answered before goes on until then.
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={deploy.isPending} disabled={!model}>
            Deploy
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
