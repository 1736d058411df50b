/** Labels out: which, in which format, and what that format has no place for, before anything is written. */
import { Alert, Button, Group, List, Modal, SegmentedControl, Select, Skeleton, Stack, Switch, Text } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { exportCheckQuery, labelFormatsQuery, type LabelSchema } from '../data'

export type What = 'annotations' | 'truth'

export function ExportDialog({ schema, opened, onClose }: { schema: LabelSchema; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Export labels" size="lg">
      {opened && <Choices schema={schema} onClose={onClose} />}
    </Modal>
  )
}

function Choices({ schema, onClose }: { schema: LabelSchema; onClose: () => void }) {
  const project = useProjectSlug()
  const [what, setWhat] = useState<What>('annotations')
  const [format, setFormat] = useState('labelstudio')
  const [images, setImages] = useState(false)
  const formats = useQuery(labelFormatsQuery(project, schema.slug))
  const check = useQuery(exportCheckQuery(project, schema.slug, format, what))
  const chosen = formats.data?.find((one) => one.name === format)
  const query = new URLSearchParams({ format, what, images: String(images && Boolean(chosen?.images)) })
  const told = check.data
  return (
    <Stack gap="md">
      <SegmentedControl
        fullWidth
        aria-label="Which labels"
        data={[
          { value: 'annotations', label: 'All annotations' },
          { value: 'truth', label: 'Ground truth only' },
        ]}
        value={what}
        onChange={(value) => setWhat(value as What)}
      />
      <Select label="Format" description={chosen?.about} allowDeselect={false} data={(formats.data ?? []).map((one) => ({ value: one.name, label: one.title }))} value={format} onChange={(value) => value && setFormat(value)} />
      {chosen?.images && <Switch label="With the pictures, in one zip" checked={images} onChange={(event) => setImages(event.currentTarget.checked)} />}
      <ErrorNotice error={formats.error ?? check.error} onRetry={() => void check.refetch()} />
      {check.isPending && <Skeleton h={40} />}
      {told && (
        <Text size="sm" role="status">
          {told.annotations === 0 ? `There is no ${what === 'truth' ? 'ground truth' : 'annotation'} yet that you may see.` : `${told.annotations.toLocaleString()} ${told.annotations === 1 ? 'annotation' : 'annotations'} of ${told.items.toLocaleString()} ${told.items === 1 ? 'item' : 'items'}.`}
        </Text>
      )}
      {told && told.lost.length > 0 && (
        <Alert color="yellow" title={told.tried < told.items ? `Left out, counted in the first ${told.tried.toLocaleString()} items` : 'Left out or changed'}>
          <List size="sm" spacing={4}>
            {told.lost.map((one) => (
              <List.Item key={one.message}>
                {one.message} <b>{one.count.toLocaleString()} ×</b>
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button component="a" href={`/api/v1/projects/${project}/label-schemas/${schema.slug}/export?${query.toString()}`} download data-disabled={!told || told.annotations === 0 || undefined} onClick={(event) => (!told || told.annotations === 0) && event.preventDefault()} leftSection={<IconDownload size={16} aria-hidden />}>
          Download
        </Button>
      </Group>
    </Stack>
  )
}
