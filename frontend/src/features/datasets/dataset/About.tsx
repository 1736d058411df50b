import { Anchor, Button, Group, Paper, SimpleGrid, Stack, Text, Textarea, TextInput, Title } from '@mantine/core'
import { isNotEmpty, useForm } from '@mantine/form'
import { useQueryClient } from '@tanstack/react-query'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { bytes, count, dateTime } from '@/lib/format'
import { notifyDone } from '@/ui/confirm'
import { DataTable } from '@/ui/data-table'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StatusBadge } from '@/ui/StatusBadge'
import { useSubmit } from '@/ui/useSubmit'

type Version = Schemas['DatasetVersionOut']
type Fields = { name: string; description: string; licence: string; source: string }

/** What a data set is, whose it is, and its history. */
export function About({ project, dataset, versions, readOnly, onVersion }: { project: string; dataset: Schemas['DatasetOut']; versions: Version[]; readOnly: boolean; onVersion: (number: number) => void }) {
  const client = useQueryClient()
  const form = useForm<Fields>({
    initialValues: { name: dataset.name, description: dataset.description, licence: dataset.licence, source: dataset.source },
    validate: { name: isNotEmpty('A data set needs a name') },
  })
  const { submit, busy, error } = useSubmit(form, async (values: Fields) => {
    await unwrap(api.PATCH('/api/v1/projects/{project}/datasets/{dataset}', { params: { path: { project, dataset: dataset.slug } }, body: values }))
    await client.invalidateQueries({ queryKey: keys.datasets(project) })
    notifyDone('Saved.')
  })
  const link = /^https?:\/\//.test(dataset.source) ? dataset.source : null
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
      <Paper p="lg" component="section" aria-label="Description">
        <form onSubmit={form.onSubmit(submit)}>
          <Stack gap="md">
            <ErrorNotice error={error} />
            <TextInput label="Name" readOnly={readOnly} maxLength={120} {...form.getInputProps('name')} />
            <Textarea label="Description" description="What is in it, how it was collected, what to beware of." readOnly={readOnly} autosize minRows={3} maxRows={14} {...form.getInputProps('description')} />
            <TextInput label="Licence" placeholder="CC BY 4.0" readOnly={readOnly} maxLength={200} {...form.getInputProps('licence')} />
            <TextInput label="Source" placeholder="Where it comes from: an address or a few words" readOnly={readOnly} maxLength={500} {...form.getInputProps('source')} />
            {link && (
              <Anchor href={link} target="_blank" rel="noreferrer noopener" size="sm">
                Open the source
              </Anchor>
            )}
            {!readOnly && (
              <Group>
                <Button type="submit" loading={busy} disabled={!form.isDirty()}>
                  Save
                </Button>
              </Group>
            )}
          </Stack>
        </form>
      </Paper>
      <Stack gap="sm">
        <Title order={2} size="h3">
          Versions
        </Title>
        <DataTable<Version>
          label="Versions"
          rows={versions}
          rowKey={(v) => String(v.number)}
          rowHeight={52}
          maxHeight={420}
          onOpen={(v) => onVersion(v.number)}
          columns={[
            { key: 'number', title: 'Version', width: 84, render: (v) => v.number },
            { key: 'status', title: 'Status', width: 120, render: (v) => <StatusBadge status={v.status} size="sm" /> },
            {
              key: 'what',
              title: 'What',
              width: 160,
              grow: 1,
              render: (v) => (
                <div style={{ minWidth: 0 }}>
                  <Text size="sm" truncate>
                    {count(v.item_count)} items · {bytes(v.size)}
                  </Text>
                  <Text size="xs" c="dimmed" truncate>
                    {v.note || dateTime(v.created_at)}
                  </Text>
                </div>
              ),
            },
          ]}
        />
        <Text size="xs" c="dimmed">
          Made {dateTime(dataset.created_at)}
          {dataset.created_by ? ` by ${dataset.created_by.name}` : ''}. In pipelines and scripts: {dataset.slug}@{dataset.latest_version ?? 'latest'}
        </Text>
      </Stack>
    </SimpleGrid>
  )
}
