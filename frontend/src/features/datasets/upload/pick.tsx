/** Choosing files and folders: buttons, and the whole page as a place to drop them. */
import { Button, Menu, Text } from '@mantine/core'
import { IconChevronDown, IconCloudUpload, IconFile, IconFolder } from '@tabler/icons-react'
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react'
import { notifyError } from '@/ui/confirm'
import { fromDirectoryInput, fromDrop, fromFiles, type Source } from './source'
import classes from './pick.module.css'

export const ACCEPT = '.csv,.tsv,.parquet,.jsonl,.ndjson,.json,.xlsx,.xlsm,.xls,.ods,.zip,.tar,.tgz,.gz,.bz2,.xz,.zst,.txt,.png,.jpg,.jpeg,.gif,.bmp,.webp,.tif,.tiff,.wav,.mp3,.ogg,.oga,.opus,.flac,.m4a,.weba,.mp4,.m4v,.mov,.webm,.pdf'

/** Two hidden inputs and the functions that open them. */
export function usePicker(onSources: (sources: Source[]) => void, { multiple = true }: { multiple?: boolean } = {}) {
  const files = useRef<HTMLInputElement>(null)
  const folder = useRef<HTMLInputElement>(null)
  const take = (input: RefObject<HTMLInputElement | null>, make: (files: File[]) => Source[]) => {
    const chosen = [...(input.current?.files ?? [])]
    if (input.current) input.current.value = ''
    if (chosen.length === 0) return
    const sources = make(chosen)
    if (sources.length) onSources(sources)
    else notifyError(new Error('There is nothing to upload in that folder.'))
  }
  const inputs = (
    <>
      <input ref={files} type="file" multiple={multiple} accept={ACCEPT} hidden aria-label="Files to upload" data-testid="pick-files" onChange={() => take(files, fromFiles)} />
      <input
        ref={folder}
        type="file"
        hidden
        aria-label="Folder to upload"
        data-testid="pick-folder"
        {...({ webkitdirectory: '' } as object)}
        onChange={() => take(folder, (chosen) => [fromDirectoryInput(chosen)].filter((s) => s !== null))}
      />
    </>
  )
  return { inputs, openFiles: useCallback(() => files.current?.click(), []), openFolder: useCallback(() => folder.current?.click(), []) }
}

export function UploadButton({ label = 'Upload', onSources, variant = 'filled', multiple }: { label?: string; onSources: (sources: Source[]) => void; variant?: string; multiple?: boolean }) {
  const { inputs, openFiles, openFolder } = usePicker(onSources, { multiple })
  return (
    <>
      {inputs}
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button variant={variant} leftSection={<IconCloudUpload size={17} aria-hidden />} rightSection={<IconChevronDown size={15} aria-hidden />}>
            {label}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconFile size={17} aria-hidden />} onClick={openFiles}>
            Files
            <Text size="xs" c="dimmed">
              Tables, images, sounds, videos, PDFs, zip
            </Text>
          </Menu.Item>
          <Menu.Item leftSection={<IconFolder size={17} aria-hidden />} onClick={openFolder}>
            A folder of images, sounds, videos …
            <Text size="xs" c="dimmed">
              Its sub-folders become the classes
            </Text>
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  )
}

/** While mounted, files dropped anywhere on the page are taken; a sheet over the page says so while they hover. */
export function PageDrop({ onSources, hint, disabled = false }: { onSources: (sources: Source[]) => void; hint: string; disabled?: boolean }) {
  const [over, setOver] = useState(false)
  const latest = useRef(onSources)
  useEffect(() => {
    latest.current = onSources
  })
  useEffect(() => {
    if (disabled) return
    let depth = 0
    const files = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const enter = (event: DragEvent) => {
      if (!files(event)) return
      depth += 1
      setOver(true)
    }
    const leave = (event: DragEvent) => {
      if (!files(event)) return
      depth = Math.max(0, depth - 1)
      if (depth === 0) setOver(false)
    }
    const hover = (event: DragEvent) => {
      if (!files(event)) return
      event.preventDefault()
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy'
    }
    const drop = (event: DragEvent) => {
      if (!files(event) || !event.dataTransfer) return
      event.preventDefault()
      depth = 0
      setOver(false)
      fromDrop(event.dataTransfer).then(
        (sources) => (sources.length ? latest.current(sources) : notifyError(new Error('There is nothing to upload in that folder.'))),
        () => notifyError(new Error('What was dropped could not be read. Choose it with the Upload button instead.')),
      )
    }
    const pairs: [string, (event: DragEvent) => void][] = [
      ['dragenter', enter],
      ['dragleave', leave],
      ['dragover', hover],
      ['drop', drop],
    ]
    for (const [name, handler] of pairs) window.addEventListener(name, handler as EventListener)
    return () => {
      for (const [name, handler] of pairs) window.removeEventListener(name, handler as EventListener)
    }
  }, [disabled])
  if (!over) return null
  return (
    <div className={classes.sheet} aria-hidden>
      <div className={classes.card}>
        <IconCloudUpload size={44} stroke={1.4} />
        <Text fw={620} size="lg">
          Drop to upload
        </Text>
        <Text size="sm" c="dimmed">
          {hint}
        </Text>
      </div>
    </div>
  )
}
