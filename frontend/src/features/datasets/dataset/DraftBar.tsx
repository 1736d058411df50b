import { Alert, Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { IconLock, IconPencil } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { ErrorNotice } from '@/ui/ErrorNotice'

/** Says what a draft is for, and freezes it. */
export function DraftBar({ project, dataset, version }: { project: string; dataset: Schemas['DatasetOut']; version: Schemas['DatasetVersionOut'] }) {
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const [note, setNote] = useState('')
  const freeze = useMutation({
    mutationFn: () =>
      unwrap(api.POST('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/freeze', { params: { path: { project, dataset: dataset.slug, number: version.number } }, body: { note } })),
    onSuccess: () => {
      setAsking(false)
      return client.invalidateQueries({ queryKey: keys.datasets(project) })
    },
  })
  const table = dataset.modality === 'table'
  return (
    <Alert color="yellow" mb="md" icon={<IconPencil aria-hidden />} title={`Version ${version.number} is a draft`} styles={{ message: { width: '100%' } }}>
      <Group justify="space-between" gap="md">
        <Text size="sm" maw={720}>
          {table
            ? 'Look at the types we found and correct them in the head of the table; mark the column that is to be predicted. Then freeze the version: from then on it never changes, and pipelines can use it.'
            : 'Look through it, then freeze the version: from then on it never changes, and pipelines can use it.'}
        </Text>
        <Button leftSection={<IconLock size={16} aria-hidden />} onClick={() => setAsking(true)}>
          Freeze
        </Button>
      </Group>
      <Modal opened={asking} onClose={() => setAsking(false)} title={<Text fw={620}>Freeze version {version.number}</Text>}>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            freeze.mutate()
          }}
        >
          <Stack gap="md">
            <ErrorNotice error={freeze.error} />
            <Text size="sm">
              A frozen version has a digest and can be repeated exactly. To change something later, upload a new version.
              {table && !version.label_column && ' No column is marked as the label; a pipeline can still choose one.'}
            </Text>
            <Textarea label="Note" description="What is special about this version? You may leave it empty." data-autofocus autosize minRows={2} maxRows={6} maxLength={2000} value={note} onChange={(e) => setNote(e.currentTarget.value)} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={() => setAsking(false)}>
                Cancel
              </Button>
              <Button type="submit" loading={freeze.isPending}>
                Freeze version {version.number}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </Alert>
  )
}
