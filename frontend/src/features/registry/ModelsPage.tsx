/** The models of a project: their newest version, aliases, metrics and where they answer. */
import { Anchor, Badge, Button, Card, Group, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconBox, IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, humanise, score } from '@/lib/format'
import { metricName, ranked } from '@/lib/metrics'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'

export function ModelsPage() {
  const project = useProjectSlug()
  const can = useCan()
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text, 250)
  const query = useQuery({
    queryKey: [...keys.models(project), 'list', search],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models', { params: { path: { project }, query: { search: search || undefined } } })),
    placeholderData: keepPreviousData,
  })
  const models = query.data ?? []
  return (
    <>
      <PageHeader title="Models" description="What your pipelines registered: every version with its metrics, where it came from, and where it answers." />
      {(search || text || models.length > 0) && <TextInput aria-label="Search models" placeholder="Search" leftSection={<IconSearch size={16} aria-hidden />} value={text} onChange={(event) => setText(event.currentTarget.value)} maw={280} mb="md" />}
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={160} />}
      {query.data && models.length === 0 && (
        <EmptyState
          icon={IconBox}
          title={search ? 'No model fits' : 'No models yet'}
          actions={!search && can('run.start') && <Button renderRoot={(props) => <Link to="/p/$project/templates" params={{ project }} {...props} />}>Start from a template</Button>}
        >
          {search ? 'Try another word.' : 'A pipeline with the step “Register a model” puts its model here.'}
        </EmptyState>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        {models.map((model) => (
          <ModelCard key={model.id} project={project} model={model} />
        ))}
      </SimpleGrid>
    </>
  )
}

function ModelCard({ project, model }: { project: string; model: Schemas['ModelOut'] }) {
  const metrics = ranked(model.metrics).slice(0, 3)
  return (
    <Card component="article" padding="md">
      <Stack gap="sm" h="100%">
        <div>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <Anchor fw={620} renderRoot={(props) => <Link to="/p/$project/models/$model" params={{ project, model: model.slug }} {...props} />}>
              {model.name}
            </Anchor>
            {model.latest_version !== null && <Badge color="gray">v{model.latest_version}</Badge>}
          </Group>
          <Text size="xs" c="dimmed">
            {humanise(model.task)} · {ago(model.updated_at)}
          </Text>
        </div>
        {metrics.length > 0 && (
          <Group gap="lg">
            {metrics.map(([name, value]) => (
              <div key={name}>
                <Text size="xs" c="dimmed">
                  {metricName(name)}
                </Text>
                <Text fw={650}>{score(value)}</Text>
              </div>
            ))}
          </Group>
        )}
        <Group gap={6} mt="auto">
          {Object.entries(model.aliases).map(([alias, version]) => (
            <Badge key={alias} color="violet">
              {alias} → v{version}
            </Badge>
          ))}
          {model.endpoints.map((endpoint) => (
            <Badge key={endpoint} color="green">
              answers at {endpoint}
            </Badge>
          ))}
        </Group>
      </Stack>
    </Card>
  )
}
