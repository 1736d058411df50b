import { Group, Text, Tooltip } from '@mantine/core'
import { IconAbc, IconBraces, IconCalendar, IconCategory, IconFileText, IconFileTypePdf, IconHash, IconMovie, IconNumber123, IconPhoto, IconTable, IconToggleLeft, IconWaveSine, type Icon } from '@tabler/icons-react'
import type { Schemas } from '@/api/client'

export type ColumnType = Schemas['Column']['type']
export type Modality = Schemas['DatasetOut']['modality']

export const MODALITY: Record<Modality, { icon: Icon; label: string; items: string; item: string }> = {
  table: { icon: IconTable, label: 'Table', item: 'row', items: 'rows' },
  images: { icon: IconPhoto, label: 'Images', item: 'image', items: 'images' },
  text: { icon: IconFileText, label: 'Text', item: 'text', items: 'texts' },
  audio: { icon: IconWaveSine, label: 'Audio', item: 'sound', items: 'sounds' },
  video: { icon: IconMovie, label: 'Video', item: 'video', items: 'videos' },
  document: { icon: IconFileTypePdf, label: 'PDF', item: 'PDF', items: 'PDFs' },
}

export const COLUMN_TYPE: Record<ColumnType, { icon: Icon; label: string; help: string }> = {
  integer: { icon: IconHash, label: 'Integer', help: 'Whole numbers' },
  number: { icon: IconNumber123, label: 'Number', help: 'Numbers with a fraction' },
  boolean: { icon: IconToggleLeft, label: 'Boolean', help: 'Yes or no' },
  category: { icon: IconCategory, label: 'Category', help: 'One of a few values' },
  text: { icon: IconAbc, label: 'Text', help: 'Free text' },
  datetime: { icon: IconCalendar, label: 'Date and time', help: 'Moments in time' },
  image: { icon: IconPhoto, label: 'Image', help: 'A picture' },
  json: { icon: IconBraces, label: 'JSON', help: 'Lists and objects' },
}

export function TypeMark({ type, withLabel = false }: { type: ColumnType; withLabel?: boolean }) {
  const { icon: IconOf, label } = COLUMN_TYPE[type]
  const mark = <IconOf size={15} stroke={1.8} aria-label={withLabel ? undefined : label} aria-hidden={withLabel} color="var(--mantine-color-dimmed)" style={{ flex: 'none' }} />
  return withLabel ? (
    <Group gap={5} wrap="nowrap">
      {mark}
      <Text size="xs" c="dimmed">
        {label}
      </Text>
    </Group>
  ) : (
    <Tooltip label={label}>{mark}</Tooltip>
  )
}
