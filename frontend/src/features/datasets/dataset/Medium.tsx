/** A sound, a video or a PDF: as a tile of the gallery, and large, where it plays. */
import { Anchor, Stack, Text } from '@mantine/core'
import type { Schemas } from '@/api/client'
import { clock } from '@/lib/format'
import { MODALITY, type Modality } from '../look'
import classes from './Gallery.module.css'

type Item = Schemas['ItemOut']

export function MediumTile({ item, modality }: { item: Item; modality: Modality }) {
  const Icon = MODALITY[modality].icon
  return (
    <div className={classes.medium}>
      <Icon size={34} stroke={1.4} aria-hidden />
      <Text size="xs" className={classes.mediumName}>
        {item.key.split('/').pop()}
      </Text>
      {item.duration !== null && (
        <Text size="xs" c="dimmed" className="tabular">
          {clock(item.duration)}
        </Text>
      )}
    </div>
  )
}

export function MediumLarge({ item, modality }: { item: Item; modality: Modality }) {
  const name = `${item.key}${item.label ? `, labelled ${item.label}` : ''}`
  // Captions are what labelling is about to make: there are none yet.
  // eslint-disable-next-line jsx-a11y/media-has-caption -- see above
  if (modality === 'audio') return <audio key={item.url} src={item.url} controls preload="metadata" aria-label={name} className={classes.player} />
  // eslint-disable-next-line jsx-a11y/media-has-caption -- see above
  if (modality === 'video') return <video key={item.url} src={item.url} controls preload="metadata" aria-label={name} />
  const Icon = MODALITY[modality].icon
  return (
    <Stack align="center" gap="sm">
      <Icon size={72} stroke={1.2} aria-hidden />
      <Anchor href={item.url} download={item.key.split('/').pop()}>
        Open the PDF in your own viewer
      </Anchor>
    </Stack>
  )
}
