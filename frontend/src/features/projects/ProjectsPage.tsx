import { Badge, Button, Card, Group, Modal, SimpleGrid, Skeleton, Stack, Text, Textarea, TextInput, Title } from '@mantine/core'
import { isNotEmpty, useForm } from '@mantine/form'
import { IconFolderPlus, IconPlus } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { date } from '@/lib/format'
import { useCommands } from '@/ui/commands'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { useSubmit } from '@/ui/useSubmit'
import classes from './ProjectsPage.module.css'

/** Projects the person is a member of, and the making of a new one. */
export function ProjectsPage() {
  const navigate = useNavigate()
  const search = useSearch({ strict: false }) as { new?: boolean }
  const projects = useQuery({ queryKey: keys.projects, queryFn: () => unwrap(api.GET('/api/v1/projects')) })
  const [find, setFind] = useState('')
  const creating = Boolean(search.new)
  const setCreating = (on: boolean) => void navigate({ to: '/', search: on ? { new: true } : {}, replace: true })
  useCommands(() => [{ id: 'project.new', label: 'New project', group: 'Projects', icon: IconFolderPlus, run: () => setCreating(true) }], [])
  const found = useMemo(() => projects.data?.filter((p) => `${p.name} ${p.description}`.toLowerCase().includes(find.toLowerCase())), [projects.data, find])
  const create = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      New project
    </Button>
  )
  return (
    <>
      <PageHeader title="Projects" description="A project holds its data sets, pipelines, models and endpoints, and the people who work on them." actions={projects.data?.length ? create : undefined} />
      <ErrorNotice error={projects.error} onRetry={() => void projects.refetch()} />
      {projects.data && projects.data.length > 8 && <TextInput mb="md" maw={320} placeholder="Find a project" aria-label="Find a project" value={find} onChange={(e) => setFind(e.currentTarget.value)} />}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        {projects.isPending && [0, 1, 2].map((i) => <Skeleton key={i} h={132} radius="md" />)}
        {found?.map((p) => (
          <Card key={p.id} className={classes.card} padding="lg" renderRoot={(props) => <Link to="/p/$project" params={{ project: p.slug }} {...props} />}>
            <Group justify="space-between" wrap="nowrap" align="flex-start">
              <Title order={2} size="h3" className={classes.name}>
                {p.name}
              </Title>
              <Badge color="gray">{p.role}</Badge>
            </Group>
            <Text size="sm" c="dimmed" lineClamp={2} mt={4} flex={1}>
              {p.description || 'No description.'}
            </Text>
            <Text size="xs" c="dimmed" mt="md">
              Since {date(p.created_at)}
            </Text>
          </Card>
        ))}
      </SimpleGrid>
      {found?.length === 0 && find && <Text c="dimmed">No project of that name.</Text>}
      {projects.data?.length === 0 && (
        <EmptyState icon={IconFolderPlus} title="Make your first project" actions={create}>
          Then upload data, or start from a template that brings its own: the first model answers a few minutes later.
        </EmptyState>
      )}
      <CreateProject opened={creating} onClose={() => setCreating(false)} />
    </>
  )
}

function CreateProject({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const form = useForm({ initialValues: { name: '', description: '' }, validate: { name: isNotEmpty('Give the project a name') } })
  const { submit, busy, error } = useSubmit(form, async (values: { name: string; description: string }) => {
    const project = await unwrap(api.POST('/api/v1/projects', { body: values }))
    // The list of what one may do comes with `me`: without it the new project's pages would look read-only.
    await Promise.all([client.invalidateQueries({ queryKey: keys.me }), client.invalidateQueries({ queryKey: keys.projects })])
    form.reset()
    await navigate({ to: '/p/$project', params: { project: project.slug } })
  })
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={620}>New project</Text>}>
      <form onSubmit={form.onSubmit(submit)} noValidate>
        <Stack gap="md">
          <ErrorNotice error={error} />
          <TextInput label="Name" data-autofocus maxLength={120} {...form.getInputProps('name')} />
          <Textarea label="Description" description="What is it about? You can write it later." autosize minRows={2} maxRows={6} {...form.getInputProps('description')} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Make the project
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
