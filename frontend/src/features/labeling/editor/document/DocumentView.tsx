/** A document page by page: each page is a picture that is drawn on like an image, and a region says which page it is on. */
import { ActionIcon, Alert, Group, Loader, NumberInput, Text } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconFileOff } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

import type { LabelObject } from '../config'
import { useLatest, useRegions, useStore, useStoreState } from '../hooks'
import { ImageCanvas } from '../image/ImageCanvas'
import { pageOf } from '../result'
import classes from './DocumentView.module.css'
import { openPdf, trouble, type Pages } from './pdf'

type Open = { readonly url: string; readonly pages: Pages | null; readonly failure: unknown }

export function DocumentView({ object }: { object: LabelObject }) {
  const editor = useStore()
  const url = editor.item.urls[object.name] ?? ''
  const page = useStoreState((state) => state.page)
  const reveal = useStoreState((state) => state.reveal)
  const [open, setOpen] = useState<Open | null>(null)
  const [drawn, setDrawn] = useState<{ pages: Pages; page: number; picture: string } | null>(null)
  const pages = open?.url === url ? open.pages : null
  const failure = open?.url === url ? open.failure : null
  const count = pages?.count ?? 0

  useEffect(() => {
    let closed = false
    let made: Pages | null = null
    openPdf(url).then(
      (found) => {
        made = found
        if (closed) found.close()
        else setOpen({ url, pages: found, failure: null })
      },
      (failed: unknown) => {
        if (!closed) setOpen({ url, pages: null, failure: failed })
      },
    )
    return () => {
      closed = true
      made?.close()
    }
  }, [url])

  useEffect(() => {
    if (!pages || page >= pages.count) return
    let old = false
    pages.picture(page).then(
      (picture) => {
        if (!old) setDrawn({ pages, page, picture })
      },
      (failed: unknown) => {
        if (!old) setOpen({ url, pages: null, failure: failed })
      },
    )
    // The next one is there when it is turned to.
    if (page + 1 < pages.count) void pages.picture(page + 1).catch(() => undefined)
    return () => {
      old = true
    }
  }, [pages, page, url])

  const go = useLatest((to: number) => {
    const next = Math.max(0, Math.min(count - 1, to))
    if (!pages || next === editor.state.page) return
    editor.views.get(object.name)?.cancel?.()
    editor.set({ page: next, selected: new Set() })
    editor.announce(`Page ${next + 1} of ${count}`)
  })

  const shown = useLatest(() => editor.state.page)
  useEffect(() => {
    const region = reveal && editor.region(reveal.id)
    if (region && region.to === object.name && pageOf(region) !== shown()) editor.set({ page: pageOf(region) })
  }, [editor, reveal, object.name, shown])

  useEffect(() => {
    const name = `${object.name}/pages`
    editor.views.set(name, { turn: (by) => go(editor.state.page + by) })
    return () => void editor.views.delete(name)
  }, [editor, object.name, go])

  if (failure !== null) {
    const told = trouble(failure)
    return (
      <Alert m="auto" maw={420} color="red" icon={<IconFileOff size={18} />} title={told.title}>
        {told.advice}
      </Alert>
    )
  }
  if (!pages) return <Loader m="auto" aria-label="The document is loading" />
  const picture = drawn?.pages === pages && drawn.page === page ? drawn.picture : null
  return (
    <div className={classes.document}>
      <Turner object={object} page={page} count={count} onGo={go} />
      {page >= count ? (
        <Alert m="auto" maw={420} color="yellow" title="There is no such page">
          The document has {count === 1 ? 'one page' : `${count} pages`}.
        </Alert>
      ) : (
        <ImageCanvas object={object} picture={picture} />
      )}
    </div>
  )
}

function Turner({ object, page, count, onGo }: { object: LabelObject; page: number; count: number; onGo: (page: number) => void }) {
  const here = useRegions().filter((region) => region.to === object.name && pageOf(region) === page).length
  return (
    <Group className={classes.turner} gap={6} wrap="nowrap" role="group" aria-label="Pages">
      <ActionIcon aria-label="Page before" aria-keyshortcuts="PageUp" disabled={page === 0} onClick={() => onGo(page - 1)}>
        <IconChevronLeft size={18} />
      </ActionIcon>
      <Text size="sm">Page</Text>
      <NumberInput size="xs" w={56} hideControls min={1} max={count} allowDecimal={false} value={page + 1} onChange={(typed) => typeof typed === 'number' && onGo(typed - 1)} aria-label={`Page, of ${count}`} />
      <Text size="sm">of {count}</Text>
      <ActionIcon aria-label="Next page" aria-keyshortcuts="PageDown" disabled={page + 1 >= count} onClick={() => onGo(page + 1)}>
        <IconChevronRight size={18} />
      </ActionIcon>
      {here > 0 && (
        <Text size="sm" c="dimmed" ml={6}>
          {here === 1 ? '1 region here' : `${here} regions here`}
        </Text>
      )}
    </Group>
  )
}
