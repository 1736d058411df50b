/** All regions in words: the canvas' equivalent for those who do not see it. Long lists draw only what is in sight. */
import { ActionIcon, Button, Group, Menu, Text, Tooltip } from '@mantine/core'
import { IconAdjustmentsHorizontal, IconCheck, IconEye, IconEyeOff, IconLock, IconLockOpen, IconSparkles, IconTrash, IconX } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'

import { hull } from '../geometry'
import { useRegions, useStore, useStoreState } from '../hooks'
import { drawnRegions, isRelation, titleOf, type Drawn } from '../result'
import type { EditorStore } from '../store'
import { inTime } from '../time/words'
import { sequenceOf } from '../video/track'
import classes from './panel.module.css'

const ROW = 34
const KINDS = { rectangle: 'box', polygon: 'polygon', ellipse: 'ellipse', keypoint: 'point', brush: 'mask', vector: 'line', span: 'text', segment: 'segment', track: 'track' }

type Order = 'made' | 'label' | 'place'

const ORDERS: Record<Order, string> = { made: 'As they were made', label: 'By label', place: 'From the top' }

function hint(editor: EditorStore): string {
  const tags = new Set(editor.config.objects.map((object) => object.tag))
  if (tags.has('Audio')) return 'Choose a label and drag over the waveform, or press [ and ] while it plays.'
  if (tags.has('Video')) return 'Choose a label and draw a box on the video.'
  return 'Choose a label and draw, or mark some text.'
}

function position(editor: EditorStore, region: Drawn): number {
  const shape = editor.shape(region)
  return shape ? hull(shape).y : Number(region.main.value.start ?? sequenceOf(region)[0]?.frame ?? 0)
}

export function RegionList() {
  const editor = useStore()
  const regions = useRegions()
  const selected = useStoreState((state) => state.selected)
  const hidden = useStoreState((state) => state.hidden)
  const suggestions = useStoreState((state) => state.suggestions)
  const readOnly = useStoreState((state) => state.readOnly)
  const [filter, setFilter] = useState<string | null>(null)
  const [order, setOrder] = useState<Order>('made')
  const frame = useRef<HTMLDivElement>(null)
  const labels = useMemo(() => [...new Set(regions.map(titleOf))].sort(), [regions])
  const shown = useMemo(() => {
    const numbered = regions.map((region, index) => ({ region, number: index + 1 })).filter(({ region }) => !filter || titleOf(region) === filter)
    if (order === 'label') return numbered.sort((a, b) => titleOf(a.region).localeCompare(titleOf(b.region)))
    return order === 'place' ? numbered.sort((a, b) => position(editor, a.region) - position(editor, b.region)) : numbered
  }, [editor, regions, filter, order])
  const ghosts = useMemo(() => drawnRegions(editor.config, suggestions), [editor.config, suggestions])
  const others = suggestions.filter((entry) => !isRelation(entry) && !ghosts.some((ghost) => ghost.id === entry.id)).length
   
  const rows = useVirtualizer({ count: shown.length, getScrollElement: () => frame.current, estimateSize: () => ROW, overscan: 8 })

  const first = [...selected][0]
  useEffect(() => {
    const at = shown.findIndex(({ region }) => region.id === first)
    if (at >= 0) rows.scrollToIndex(at, { align: 'auto' })
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only when another region is selected, not when the list is scrolled
  }, [first])

  const allHidden = regions.length > 0 && regions.every((region) => hidden.has(region.id))
  return (
    <section className={classes.section} data-grow aria-label="Regions">
      <Group gap={4} justify="space-between" wrap="nowrap" mb={6}>
        <Text size="sm" fw={620} style={{ whiteSpace: 'nowrap' }}>
          Regions {regions.length > 0 && <Text span c="dimmed" size="sm">{shown.length === regions.length ? regions.length : `${shown.length}/${regions.length}`}</Text>}
        </Text>
        {regions.length > 0 && (
          <Group gap={4} wrap="nowrap">
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon size="sm" aria-label="Order and filter of the regions" data-on={filter !== null || order !== 'made' || undefined}>
                  <IconAdjustmentsHorizontal size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown mah={420} style={{ overflowY: 'auto' }}>
                <Menu.Label>Order</Menu.Label>
                {(Object.keys(ORDERS) as Order[]).map((one) => (
                  <Menu.Item key={one} role="menuitemradio" aria-checked={order === one} rightSection={order === one && <IconCheck size={14} />} onClick={() => setOrder(one)}>
                    {ORDERS[one]}
                  </Menu.Item>
                ))}
                <Menu.Label>Only</Menu.Label>
                {[null, ...labels].map((label) => (
                  <Menu.Item key={label} role="menuitemradio" aria-checked={filter === label} rightSection={filter === label && <IconCheck size={14} />} onClick={() => setFilter(label)}>
                    {label ?? 'All labels'}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
            <ActionIcon size="sm" aria-label={allHidden ? 'Show all regions' : 'Hide all regions'} onClick={() => editor.toggle('hidden', regions.map((region) => region.id))}>
              {allHidden ? <IconEyeOff size={16} /> : <IconEye size={16} />}
            </ActionIcon>
          </Group>
        )}
      </Group>
      {(ghosts.length > 0 || others > 0) && (
        <div className={classes.suggestions}>
          <Group gap={6} justify="space-between" wrap="nowrap">
            <Text size="xs">
              <IconSparkles size={13} aria-hidden /> {ghosts.length + others === 1 ? '1 suggestion' : `${ghosts.length + others} suggestions`}
            </Text>
            {!readOnly && (
              <Button size="compact-xs" variant="light" onClick={() => editor.accept()}>
                Take all over
              </Button>
            )}
          </Group>
          {ghosts.slice(0, 20).map((region) => (
            <Group key={region.id} gap={6} wrap="nowrap" className={classes.ghost}>
              <span className={classes.swatch} style={{ background: region.color }} />
              <Text size="xs" flex={1} truncate>
                {titleOf(region)}
              </Text>
              {!readOnly && (
                <>
                  <ActionIcon size="sm" aria-label={`Take the suggested ${titleOf(region)} over`} onClick={() => editor.accept(new Set([region.id]))}>
                    <IconCheck size={14} />
                  </ActionIcon>
                  <ActionIcon size="sm" aria-label={`Set the suggested ${titleOf(region)} aside`} onClick={() => editor.dismiss(region.id)}>
                    <IconX size={14} />
                  </ActionIcon>
                </>
              )}
            </Group>
          ))}
        </div>
      )}
      {regions.length === 0 ? (
        <Text size="sm" c="dimmed">
          {readOnly ? 'Nothing is marked.' : `Nothing is marked yet. ${hint(editor)}`}
        </Text>
      ) : (
        <div ref={frame} className={classes.list}>
          <ul style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map((row) => {
              const { region, number } = shown[row.index]!
              return <Row key={region.id} region={region} number={number} chosen={selected.has(region.id)} top={row.start} />
            })}
          </ul>
        </div>
      )}
    </section>
  )
}

function Row({ region, number, chosen, top }: { region: Drawn; number: number; chosen: boolean; top: number }) {
  const editor = useStore()
  const isHidden = useStoreState((state) => state.hidden.has(region.id))
  const isLocked = useStoreState((state) => state.locked.has(region.id))
  const isOpen = useStoreState((state) => region.main.origin === 'prediction' && !state.accepted.has(region.id))
  const readOnly = useStoreState((state) => state.readOnly)
  const peer = useStoreState((state) => state.peers.find((other) => other.selected.includes(region.id)))
  const name = `${titleOf(region)}, number ${number}`
  const page = region.main.item_index === undefined ? '' : `, page ${region.main.item_index + 1}`
  const words = region.kind === 'span' ? String(region.main.value.text ?? '') : (inTime(region) ?? `${KINDS[region.kind]}${page}`)
  return (
    <li className={classes.row} data-chosen={chosen || undefined} data-hidden={isHidden || undefined} style={{ top, height: ROW }}>
      <button type="button" className={classes.rowMain} aria-pressed={chosen} onClick={(event) => editor.select(event.shiftKey || event.ctrlKey ? [...editor.state.selected, region.id] : [region.id], { reveal: true })}>
        <span className={classes.swatch} style={{ background: region.color }} data-dashed={isOpen || undefined} />
        <span className={classes.rowNumber}>{number}</span>
        <span className={classes.rowTitle}>{titleOf(region)}</span>
        <span className={classes.rowWords}>{words}</span>
        {peer && (
          <span className={classes.peer} style={{ background: peer.color }}>
            {peer.name}
          </span>
        )}
      </button>
      {isOpen && !readOnly && (
        <Tooltip label="A suggestion: accept it as it is">
          <ActionIcon size="sm" aria-label={`Accept ${name}`} onClick={() => editor.confirm(new Set([region.id]))}>
            <IconCheck size={15} />
          </ActionIcon>
        </Tooltip>
      )}
      <ActionIcon size="sm" aria-label={`${isHidden ? 'Show' : 'Hide'} ${name}`} aria-pressed={isHidden} data-on={isHidden || undefined} onClick={() => editor.toggle('hidden', [region.id])}>
        {isHidden ? <IconEyeOff size={15} /> : <IconEye size={15} />}
      </ActionIcon>
      <ActionIcon size="sm" aria-label={`${isLocked ? 'Unlock' : 'Lock'} ${name}`} aria-pressed={isLocked} data-on={isLocked || undefined} onClick={() => editor.toggle('locked', [region.id])}>
        {isLocked ? <IconLock size={15} /> : <IconLockOpen size={15} />}
      </ActionIcon>
      {!readOnly && (
        <ActionIcon size="sm" aria-label={`Delete ${name}`} disabled={isLocked} onClick={() => editor.remove(new Set([region.id]))}>
          <IconTrash size={15} />
        </ActionIcon>
      )}
    </li>
  )
}
