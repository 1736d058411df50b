/** What is asked about the project's data, how far each queue has come, and the way in. */
import { Anchor, Badge, Button, Card, Group, Progress, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconChecks, IconPencil, IconPlus, IconSearch, IconTags } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useCan, useProjectSlug } from '@/api/me'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { schemasQuery, useLabelingLive, type LabelSchema } from './data'

export function LabelsPage() {
  const project = useProjectSlug()
  const can = useCan()
  useLabelingLive(project)
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text, 250)
  const query = useQuery({ ...schemasQuery(project, search), placeholderData: keepPreviousData })
  const schemas = query.data ?? []
  const make = can('label.manage') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/new" params={{ project }} {...props} />}>
      New label schema
    </Button>
  )
  return (
    <>
      <PageHeader title="Labels" description="What people say about your data: a label schema asks, a queue gives each item to the right number of people, reviewers check." actions={schemas.length > 0 && make} />
      {(search || text || schemas.length > 0) && <TextInput aria-label="Search label schemas" placeholder="Search" leftSection={<IconSearch size={16} aria-hidden />} value={text} onChange={(event) => setText(event.currentTarget.value)} maw={280} mb="md" />}
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={160} />}
      {query.data && schemas.length === 0 && (
        <EmptyState icon={IconTags} title={search ? 'No label schema fits' : 'Nothing is labelled here yet'} actions={!search && make}>
          {search ? 'Try another word.' : 'Choose a data set and say what people shall look for: classes, boxes, parts of a text. Schemas from Label Studio paste in.'}
        </EmptyState>
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        {schemas.map((schema) => (
          <SchemaCard key={schema.id} project={project} schema={schema} />
        ))}
      </SimpleGrid>
    </>
  )
}

function SchemaCard({ project, schema }: { project: string; schema: LabelSchema }) {
  const can = useCan()
  const { progress } = schema
  const share = progress.places ? (100 * progress.done) / progress.places : 0
  const filling = schema.fill_status === 'queued' || schema.fill_status === 'running'
  return (
    <Card component="article" padding="md">
      <Stack gap="sm" h="100%">
        <div>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <Anchor fw={620} renderRoot={(props) => <Link to="/p/$project/labels/$schema" params={{ project, schema: schema.slug }} {...props} />}>
              {schema.name}
            </Anchor>
            {schema.overlap > 1 && <Badge color="gray">{schema.overlap} people each</Badge>}
          </Group>
          <Text size="xs" c="dimmed">
            {schema.dataset_name} · version {schema.filled || '–'}
          </Text>
        </div>
        <div>
          <Progress value={share} size="sm" aria-label={`${Math.round(share)} percent done`} />
          <Text size="xs" c="dimmed" mt={4}>
            {filling ? 'The queue is being filled…' : `${progress.done.toLocaleString()} of ${progress.places.toLocaleString()} annotations · ${progress.truths.toLocaleString()} with ground truth`}
          </Text>
        </div>
        <Group gap="xs" mt="auto">
          {can('label.annotate') && (
            <Button size="xs" leftSection={<IconPencil size={15} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/$schema/label" params={{ project, schema: schema.slug }} {...props} />}>
              Label
            </Button>
          )}
          {can('label.review') && (
            <Button size="xs" variant="default" leftSection={<IconChecks size={15} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/$schema/review" params={{ project, schema: schema.slug }} {...props} />}>
              Review{progress.to_review > 0 ? ` ${progress.to_review.toLocaleString()}` : ''}
            </Button>
          )}
        </Group>
      </Stack>
    </Card>
  )
}
