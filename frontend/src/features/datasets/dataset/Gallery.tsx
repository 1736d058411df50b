import { ActionIcon, Badge, Group, Modal, Select, Slider, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedValue, useElementSize, useHotkeys } from '@mantine/hooks'
import { IconChevronLeft, IconChevronRight, IconDownload, IconGridDots, IconPhotoOff, IconSearch } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { bytes, clock, count, plural } from '@/lib/format'
import { useWindow } from '@/ui/data-table'
import { scrollHeight, scrollTo, visibleRows } from '@/ui/data-table/window'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { MODALITY, type Modality } from '../look'
import classes from './Gallery.module.css'
import { useMaking } from './making'
import { MakingBar } from './MakingBar'
import { MediumLarge, MediumTile } from './Medium'

type Item = Schemas['ItemOut']
type Page = Schemas['ItemsOut'] & { rows: Item[] }
const GAP = 8

/** Images, sounds, videos or PDFs of a version as a grid of which only what is on screen exists; a larger view with the arrow keys. */
export function Gallery({ project, dataset, version, modality }: { project: string; dataset: string; version: number; modality: Modality }) {
  const { item: one, items: many } = MODALITY[modality]
  const [search, setSearch] = useState('')
  const [wanted] = useDebouncedValue(search.trim(), 300)
  const [label, setLabel] = useState<string | null>(null)
  const [tile, setTile] = useState(132)
  const [scrollTop, setScrollTop] = useState(0)
  const [active, setActive] = useState(0)
  const [open, setOpen] = useState<number | null>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const { ref: sized, width, height } = useElementSize()
  const { progress, made } = useMaking()
  const fetchItems = useCallback(
    async (offset: number, limit: number, signal: AbortSignal): Promise<Page> => {
      const page = await made<Schemas['ItemsOut']>(
        () =>
          unwrap(
            api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/items', {
              params: { path: { project, dataset, number: version }, query: { offset, limit, search: wanted || undefined, label: label ?? undefined, wait: 1 } },
              signal,
            }),
          ),
        signal,
      )
      return { ...page, rows: page.items }
    },
    [made, project, dataset, version, wanted, label],
  )
  const items = useWindow<Item, Page>([...keys.datasets(project), dataset, 'items', version, wanted, label], fetchItems, { size: 120 })
  const labels = items.first?.labels ?? []

  const across = Math.max(1, Math.floor((width + GAP) / (tile + GAP)))
  const side = width ? (width - GAP * (across - 1)) / across : tile
  const rowHeight = side + 22 + GAP
  const lines = Math.ceil(items.total / across)
  const shown = visibleRows({ scrollTop, height: height || 600 }, lines, rowHeight, 2)
  const first = shown.first * across
  const last = Math.min(items.total, shown.last * across)
  const { onWindow, total } = items
  useEffect(() => {
    if (total > 0) onWindow(first, last)
  }, [onWindow, first, last, total])
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 })
    setActive(0)
  }, [wanted, label])

  const move = (to: number) => {
    const next = Math.max(0, Math.min(items.total - 1, to))
    setActive(next)
    const top = scrollTo(Math.floor(next / across), { scrollTop, height }, lines, rowHeight)
    if (top !== null) scroller.current?.scrollTo({ top })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // The larger view hears its own keys, also while the list still has the focus.
    if (open !== null) return
    const page = across * Math.max(1, Math.floor(height / rowHeight))
    const step: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across, PageDown: page, PageUp: -page, Home: -items.total, End: items.total }
    if (event.key in step) {
      event.preventDefault()
      move(active + step[event.key]!)
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      if (items.total) setOpen(active)
    }
  }
  const showAll = () => {
    setSearch('')
    setLabel(null)
  }
  const narrowed = Boolean(wanted || label)
  return (
    <Stack gap="sm">
      <Group gap="sm" justify="space-between">
        <Group gap="sm">
          <TextInput w={{ base: 180, xs: 240 }} leftSection={<IconSearch size={16} aria-hidden />} placeholder="Find by name" aria-label="Find by name" value={search} onChange={(e) => setSearch(e.currentTarget.value)} />
          <Select w={180} placeholder="All labels" aria-label="Label" data={labels} value={label} onChange={setLabel} clearable searchable disabled={labels.length === 0} />
          <Text size="sm" c="dimmed" role="status" className="tabular">
            {items.loading ? '' : narrowed ? plural(items.total, `${one} fits`, `${many} fit`) : plural(items.total, one)}
          </Text>
        </Group>
        <Group gap="xs" visibleFrom="sm">
          <Text size="xs" c="dimmed">
            Size
          </Text>
          <Slider w={120} size="sm" min={72} max={240} step={12} value={tile} onChange={setTile} label={null} thumbLabel="Size of the tiles" />
        </Group>
      </Group>
      <ErrorNotice error={items.error} onRetry={() => void items.refetch()} />
      <MakingBar progress={progress} what={`Looking through the ${many}`} onCancel={showAll} />
      <div
        ref={scroller}
        className={classes.scroller}
        onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
        tabIndex={0}
        role="listbox"
        aria-label={many.charAt(0).toUpperCase() + many.slice(1)}
        aria-activedescendant={items.total ? `image-${active}` : undefined}
        onKeyDown={onKeyDown}
      >
        <div ref={sized} className={classes.measure} role="presentation">
          <div role="presentation" style={{ height: scrollHeight(lines, rowHeight), position: 'relative' }}>
            {Array.from({ length: Math.max(0, last - first) }, (_, i) => {
              const index = first + i
              const item = items.rowAt(index)
              return (
                // Keys are handled by the list, which holds the focus.
                // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- see onKeyDown of the list
                <div
                  key={index}
                  id={`image-${index}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === active}
                  aria-label={item ? `${item.key}${item.label ? `, ${item.label}` : ''}` : 'Loading'}
                  aria-setsize={items.total}
                  aria-posinset={index + 1}
                  className={classes.tile}
                  data-active={index === active || undefined}
                  style={{ top: shown.offset + Math.floor(i / across) * rowHeight, left: (i % across) * (side + GAP), width: side, height: side + 22 }}
                  onClick={() => {
                    setActive(index)
                    setOpen(index)
                  }}
                >
                  <div className={classes.picture} style={{ height: side }}>
                    {item && modality !== 'images' && <MediumTile item={item} modality={modality} />}
                    {item && modality === 'images' && <img src={item.thumbnail_url} alt="" loading="lazy" decoding="async" data-tiny={(item.width ?? 999) < 64 || undefined} />}
                  </div>
                  <Text size="xs" truncate c="dimmed">
                    {item?.label ?? (modality === 'images' ? item?.key.split('/').pop() : '') ?? ' '}
                  </Text>
                </div>
              )
            })}
          </div>
        </div>
        {!items.loading && items.total === 0 && (
          <EmptyState compact icon={IconPhotoOff} title={narrowed ? `No ${one} fits` : `No ${many}`} />
        )}
      </div>
      <Lightbox project={project} dataset={dataset} modality={modality} index={open} total={items.total} item={open === null ? undefined : items.rowAt(open)} onMove={(to) => { move(to); setOpen(Math.max(0, Math.min(items.total - 1, to))) }} onClose={() => setOpen(null)} />
    </Stack>
  )
}

function Lightbox({ project, dataset, modality, index, total, item, onMove, onClose }: { project: string; dataset: string; modality: Modality; index: number | null; total: number; item: Item | undefined; onMove: (to: number) => void; onClose: () => void }) {
  const at = index ?? 0
  const navigate = useNavigate()
  const opened = index !== null
  // Heard by the page: the dialog gets the focus a moment after it is shown, and a key pressed in that moment counts.
  const key = (act: () => void) => (event: globalThis.KeyboardEvent) => {
    // In a player the arrows are the player's.
    if (opened && !(event.target instanceof HTMLMediaElement)) act()
  }
  const similar = () => {
    if (item && modality === 'images') void navigate({ to: '/p/$project/datasets/$dataset/similar', params: { project, dataset }, search: { like: item.digest } })
  }
  useHotkeys([
    ['ArrowRight', key(() => onMove(at + 1)), { preventDefault: false }],
    ['ArrowLeft', key(() => onMove(at - 1)), { preventDefault: false }],
    ['s', key(similar), { preventDefault: false }],
  ])
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      size="xl"
      title={
        <Text fw={620} truncate>
          {item?.key ?? ' '}
        </Text>
      }
    >
      <Stack gap="sm">
        <div className={classes.large}>{item && modality !== 'images' && <MediumLarge item={item} modality={modality} />}{item && modality === 'images' && <img src={item.screen_url} alt={`${item.key}${item.label ? `, labelled ${item.label}` : ''}`} data-tiny={(item.width ?? 999) < 200 || undefined} />}</div>
        <Group justify="space-between">
          <Group gap="xs">
            {item?.label && <Badge>{item.label}</Badge>}
            {item?.split && <Badge color="gray">{item.split}</Badge>}
            <Text size="sm" c="dimmed">
              {item?.width ? `${item.width} × ${item.height} · ` : ''}
              {item?.duration ? `${clock(item.duration)} · ` : ''}
              {bytes(item?.size)}
            </Text>
          </Group>
          <Group gap="xs">
            <Text size="sm" c="dimmed" className="tabular">
              {count(at + 1)} of {count(total)}
            </Text>
            <Tooltip label="Previous ( ← )">
              <ActionIcon variant="default" aria-label={`Previous ${MODALITY[modality].item}`} disabled={at === 0} onClick={() => onMove(at - 1)}>
                <IconChevronLeft size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Next ( → )">
              <ActionIcon variant="default" aria-label={`Next ${MODALITY[modality].item}`} disabled={at >= total - 1} onClick={() => onMove(at + 1)} data-autofocus={at < total - 1 || undefined}>
                <IconChevronRight size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
            {item && modality === 'images' && (
              <Tooltip label="Find similar (S)">
                <ActionIcon variant="default" aria-label="Find similar images" renderRoot={(props) => <Link to="/p/$project/datasets/$dataset/similar" params={{ project, dataset }} search={{ like: item.digest }} {...props} />}>
                  <IconGridDots size={18} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
            {item && (
              <Tooltip label="Download">
                <ActionIcon variant="default" component="a" href={item.url} download={item.key.split('/').pop()} aria-label={`Download the ${MODALITY[modality].item}`}>
                  <IconDownload size={18} aria-hidden />
                </ActionIcon>
              </Tooltip>
            )}
          </Group>
        </Group>
      </Stack>
    </Modal>
  )
}
