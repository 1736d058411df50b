import { Button, Group, Stack, Tabs, Text, Textarea, TextInput } from '@mantine/core'
import { isNotEmpty, useForm } from '@mantine/form'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useProjectSlug } from '@/api/me'
import { ConfirmButton, notifyDone } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { useSubmit } from '@/ui/useSubmit'
import { AuditLog } from './AuditLog'
import { Limits } from './Limits'
import { Members } from './Members'
import { Secrets } from './Secrets'
import { Section } from './Section'

type Tab = 'general' | 'members' | 'secrets' | 'audit'

/** A project's name, people, secrets, audit log and end. */
export function ProjectSettingsPage() {
  const project = useProjectSlug()
  const can = useCan()
  const navigate = useNavigate()
  const { tab = 'general' } = useSearch({ strict: false }) as { tab?: Tab }
  const info = useQuery({ queryKey: [...keys.project(project), 'project'], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}', { params: { path: { project } } })) })
  return (
    <>
      <PageHeader title="Settings" crumbs={[{ label: info.data?.name ?? project, to: '/p/$project', params: { project } }]} />
      <ErrorNotice error={info.error} onRetry={() => void info.refetch()} />
      <Tabs value={tab} onChange={(value) => void navigate({ to: '/p/$project/settings', params: { project }, search: value === 'general' ? {} : { tab: value ?? undefined }, replace: true })}>
        <Tabs.List mb="lg">
          <Tabs.Tab value="general">General</Tabs.Tab>
          <Tabs.Tab value="members">Members</Tabs.Tab>
          {can('secret.read') && <Tabs.Tab value="secrets">Secrets</Tabs.Tab>}
          {can('audit.read') && <Tabs.Tab value="audit">Audit log</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="general">
          {info.data && (
            <Stack gap="lg" maw={860}>
              <General key={info.data.name} project={info.data} readOnly={!can('project.update')} />
              <Limits project={project} readOnly={!can('project.update')} />
              {can('project.archive') && <Danger project={info.data} />}
            </Stack>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="members">
          <Members project={project} />
        </Tabs.Panel>
        <Tabs.Panel value="secrets">{tab === 'secrets' && <Secrets project={project} />}</Tabs.Panel>
        <Tabs.Panel value="audit">
          <AuditLog project={project} />
        </Tabs.Panel>
      </Tabs>
    </>
  )
}

function General({ project, readOnly }: { project: Schemas['ProjectOut']; readOnly: boolean }) {
  const client = useQueryClient()
  const form = useForm({ initialValues: { name: project.name, description: project.description }, validate: { name: isNotEmpty('A project needs a name') } })
  const { submit, busy, error } = useSubmit(form, async (values: { name: string; description: string }) => {
    const saved = await unwrap(api.PATCH('/api/v1/projects/{project}', { params: { path: { project: project.slug } }, body: values }))
    client.setQueryData([...keys.project(project.slug), 'project'], saved)
    form.resetDirty(values)
    await Promise.all([client.invalidateQueries({ queryKey: keys.me }), client.invalidateQueries({ queryKey: keys.projects })])
    notifyDone('Saved.')
  })
  return (
    <Section title="General" description={readOnly ? 'Only owners may change these.' : undefined}>
      <form onSubmit={form.onSubmit(submit)}>
        <Stack gap="md" maw={560}>
          <ErrorNotice error={error} />
          <TextInput label="Name" maxLength={120} readOnly={readOnly} {...form.getInputProps('name')} />
          <TextInput label="Name in addresses" description="Used by the API, the command line and endpoint addresses; it stays the same." value={project.slug} readOnly styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} />
          <Textarea label="Description" autosize minRows={2} maxRows={10} maxLength={5000} readOnly={readOnly} {...form.getInputProps('description')} />
          {!readOnly && (
            <Group>
              <Button type="submit" loading={busy} disabled={!form.isDirty()}>
                Save
              </Button>
            </Group>
          )}
        </Stack>
      </form>
    </Section>
  )
}

function Danger({ project }: { project: Schemas['ProjectOut'] }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  return (
    <Section danger title="Danger zone" description="Archiving hides the project from all its members and stops its endpoints from being changed. Nothing is deleted; an administrator of this studio can bring it back.">
      <ConfirmButton
        title={`Archive ${project.name}?`}
        message={<Text size="sm">All {project.name}’s data sets, pipelines, runs, models and endpoints disappear from the studio for everyone.</Text>}
        typed={project.slug}
        confirmLabel="Archive the project"
        onConfirm={async () => {
          await unwrap(api.DELETE('/api/v1/projects/{project}', { params: { path: { project: project.slug } } }))
          await navigate({ to: '/' })
          await Promise.all([client.invalidateQueries({ queryKey: keys.me }), client.invalidateQueries({ queryKey: keys.projects })])
          notifyDone(`${project.name} is archived.`)
        }}
      >
        Archive this project…
      </ConfirmButton>
    </Section>
  )
}
