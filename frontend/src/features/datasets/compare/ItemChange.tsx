import { Badge, Group, Modal, Paper, Text, UnstyledButton } from '@mantine/core'
import { IconArrowRight, IconFileText } from '@tabler/icons-react'
import { useState } from 'react'
import { type Schemas } from '@/api/client'
import { dateTime, percent, plural } from '@/lib/format'
import classes from './compare.module.css'

type Change = Schemas['ItemChangeOut']
type Region = Schemas['RegionChangeOut']
const WORDS: Record<Change['kinds'][number], string> = { added: 'added', removed: 'removed', label: 'other label', annotations: 'other annotations', content: 'other content', split: 'other split', data: 'other data' }
const COLORS: Partial<Record<Change['kinds'][number], string>> = { added: 'green', removed: 'red' }
const WHAT: Record<Region['what'], string> = { added: 'new', removed: 'gone', moved: 'moved', relabelled: 'relabelled', answered: 'answered otherwise', same: 'the same' }
const SHOWN = 8

/** One item: its picture with both sides' regions, and in words what became of each. */
export function ItemChange({ item, images }: { item: Change; images: boolean }) {
  const [open, setOpen] = useState(false)
  const [all, setAll] = useState(false)
  const side = item.after ?? item.before
  const changed = item.regions.filter((region) => region.what !== 'same')
  const same = item.regions.length - changed.length
  const name = item.key.split('/').pop() ?? item.key
  return (
    <Paper className={classes.item} withBorder component="article" aria-label={item.key}>
      {images && side ? (
        <UnstyledButton className={classes.small} onClick={() => setOpen(true)} aria-label={`Enlarge ${name}`}>
          <Picture item={item} url={side.thumbnail_url} />
        </UnstyledButton>
      ) : (
        <div className={classes.small} data-text>
          <IconFileText size={22} aria-hidden />
        </div>
      )}
      <div className={classes.words}>
        <Group gap={6}>
          <Text fw={560} size="sm" className={classes.key} title={item.key}>
            {item.key}
          </Text>
          {item.kinds.map((kind) => (
            <Badge key={kind} size="sm" color={COLORS[kind] ?? 'yellow'} variant="light">
              {WORDS[kind]}
            </Badge>
          ))}
        </Group>
        {item.kinds.includes('label') ? <BeforeAfter before={item.before?.label} after={item.after?.label} what="Label" /> : side?.label && <Text size="sm">Label: {side.label}</Text>}
        {item.kinds.includes('split') && <BeforeAfter before={item.before?.split} after={item.after?.split} what="Split" />}
        {changed.length > 0 && (
          <ul className={classes.regions}>
            {(all ? changed : changed.slice(0, SHOWN)).map((region, index) => (
              <RegionLine key={index} region={region} />
            ))}
          </ul>
        )}
        {changed.length > SHOWN && !all && (
          <UnstyledButton className={classes.more} onClick={() => setAll(true)}>
            {plural(changed.length - SHOWN, 'more change')}
          </UnstyledButton>
        )}
        <Text size="xs" c="dimmed">
          {[same > 0 ? plural(same, 'region or answer the same', 'regions and answers the same') : '', item.more_regions > 0 ? `${plural(item.more_regions, 'region')} not listed` : '', labelled(item.after) ?? labelled(item.before)].filter(Boolean).join(' · ')}
        </Text>
      </div>
      {images && side && (
        <Modal opened={open} onClose={() => setOpen(false)} size="xl" title={<Text fw={620}>{item.key}</Text>}>
          <div className={classes.large}>
            <Picture item={item} url={side.screen_url} />
          </div>
          <Group gap="md" mt="sm" className={classes.legend}>
            {(['added', 'removed', 'moved', 'relabelled', 'same'] as const).filter((what) => item.regions.some((r) => r.what === what)).map((what) => (
              <Text key={what} size="xs" data-what={what}>
                {WHAT[what]}
              </Text>
            ))}
          </Group>
        </Modal>
      )}
    </Paper>
  )
}

function labelled(side: Change['after']): string | null {
  return side?.wording ? `${side.wording}${side.labelled_by ? ` by ${side.labelled_by}` : side.how ? ` by ${side.how}` : ''}${side.labelled_at ? `, ${dateTime(side.labelled_at)}` : ''}` : null
}

function BeforeAfter({ before, after, what }: { before?: string | null; after?: string | null; what: string }) {
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="sm">{what}:</Text>
      <Text size="sm" td="line-through" c="dimmed">
        {before ?? 'none'}
      </Text>
      <IconArrowRight size={14} aria-label="now" />
      <Text size="sm" fw={560}>
        {after ?? 'none'}
      </Text>
    </Group>
  )
}

function RegionLine({ region }: { region: Region }) {
  const words = (side: Region['before']) => [side?.labels.join(', '), side?.text ? `“${side.text.slice(0, 80)}”` : ''].filter(Boolean).join(' ') || 'no label'
  const both = region.what === 'relabelled' || region.what === 'answered'
  return (
    <li data-what={region.what}>
      <Text span size="sm">
        {both ? `${words(region.before)} → ${words(region.after)}` : words(region.after ?? region.before)}
        <Text span size="sm" c="dimmed">
          {' '}
          {WHAT[region.what]}
          {region.overlap !== null && `, covers ${percent(region.overlap, 0)} of the same`}
          {region.control ? ` · ${region.control}` : ''}
        </Text>
      </Text>
    </li>
  )
}

/** The picture with the regions of both versions over it: before dashed, after drawn through. */
function Picture({ item, url }: { item: Change; url: string }) {
  const side = item.after ?? item.before
  const wide = side?.width ?? 1
  const high = side?.height ?? 1
  const order = [...item.regions].sort((a, b) => Number(b.what === 'same') - Number(a.what === 'same'))
  return (
    <div className={classes.picture} style={{ aspectRatio: `${wide} / ${high}`, '--wide': wide / high } as React.CSSProperties}>
      <img src={url} alt="" loading="lazy" decoding="async" data-tiny={wide < 64 || undefined} />
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden>
        {order.map((region, index) => (
          <g key={index} data-what={region.what}>
            {region.before && region.what !== 'same' && <Outline of={region.before.outline} dashed />}
            {region.after && <Outline of={region.after.outline} />}
          </g>
        ))}
      </svg>
    </div>
  )
}

function Outline({ of, dashed = false }: { of: number[][]; dashed?: boolean }) {
  if (of.length === 0) return null
  if (of.length === 1) {
    // A key point: a line of no length with round ends is a dot whatever the proportions of the picture.
    const [x, y] = of[0] ?? [0, 0]
    return <path d={`M${x} ${y}l0.001 0`} className={classes.dot} data-dashed={dashed || undefined} />
  }
  return <polygon points={of.map((corner) => corner.join(',')).join(' ')} data-dashed={dashed || undefined} />
}
