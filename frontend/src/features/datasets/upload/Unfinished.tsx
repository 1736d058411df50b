import { Alert, Button, Group, Stack, Text } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { bytes, percent } from '@/lib/format'
import { notifyError } from '@/ui/confirm'
import { forget, remembered, uploads, useUploads } from './manager'
import { usePicker } from './pick'
import type { Source } from './source'

type Upload = Schemas['UploadOut']

/** Uploads that a reload or a closed tab interrupted: choose the same file and they go on where they stopped. */
export function Unfinished({ project }: { project: string }) {
  const here = useUploads(project)
  const begun = useQuery({ queryKey: keys.uploads(project), queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/uploads', { params: { path: { project } } })) })
  const left = (begun.data ?? []).filter((u) => u.status === 'receiving' && !here.some((h) => h.id === u.id))
  if (left.length === 0) return null
  return (
    <Alert color="yellow" mb="md" title={left.length === 1 ? 'An upload was interrupted' : `${left.length} uploads were interrupted`}>
      <Stack gap="xs">
        {left.map((u) => (
          <Row key={u.id} project={project} upload={u} />
        ))}
      </Stack>
    </Alert>
  )
}

function Row({ project, upload }: { project: string; upload: Upload }) {
  const client = useQueryClient()
  const known = remembered(project).find((r) => r.id === upload.id)
  const folder = known?.folder ?? upload.filename.endsWith('.tar')
  const [wrong, setWrong] = useState('')
  const goOn = ([source]: Source[]) => {
    if (!source) return
    const same = known ? source.fingerprint === known.fingerprint : source.filename === upload.filename && source.blob.size === upload.size
    if (!same || source.blob.size !== upload.size) {
      setWrong(`That is another ${folder ? 'folder' : 'file'}: the one begun is ${upload.filename} with ${bytes(upload.size)}, unchanged since.`)
      return
    }
    uploads.add(project, source, {}, { id: upload.id, received: upload.received })
    void client.invalidateQueries({ queryKey: keys.uploads(project) })
  }
  const { inputs, openFiles, openFolder } = usePicker(goOn, { multiple: false })
  const drop = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/projects/{project}/uploads/{upload_id}', { params: { path: { project, upload_id: upload.id } } })),
    onSuccess: () => {
      forget(project, upload.id)
      return client.invalidateQueries({ queryKey: keys.uploads(project) })
    },
    onError: notifyError,
  })
  return (
    <div>
      {inputs}
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          <b>{upload.filename}</b>: {bytes(upload.received)} of {bytes(upload.size)} ({percent(upload.size ? upload.received / upload.size : 0, 0)}) have arrived.
        </Text>
        <Group gap="xs">
          <Button size="xs" leftSection={<IconPlayerPlay size={14} aria-hidden />} onClick={folder ? openFolder : openFiles}>
            Choose the same {folder ? 'folder' : 'file'} and go on
          </Button>
          <Button size="xs" variant="default" loading={drop.isPending} onClick={() => drop.mutate()}>
            Discard
          </Button>
        </Group>
      </Group>
      {wrong && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {wrong}
        </Text>
      )}
    </div>
  )
}
