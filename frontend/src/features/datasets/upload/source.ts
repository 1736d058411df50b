/** What a person dropped or chose, as things to upload. */
import { isClutter, tarBlob, type Member } from './tar'

/** One upload to be: bytes that can be read from anywhere, and how to recognise them after a reload. */
export type Source = { filename: string; name: string; blob: Blob; fingerprint: string; folder: boolean; files: number }

/** Several loose files of one of these kinds together are one data set, called like this. */
const TOGETHER: Record<string, RegExp> = {
  images: /\.(png|jpe?g|gif|bmp|webp|tiff?)$/i,
  sounds: /\.(wav|wave|mp3|ogg|oga|opus|flac|m4a|weba)$/i,
  videos: /\.(mp4|m4v|mov|webm)$/i,
  documents: /\.pdf$/i,
}

export function displayName(filename: string): string {
  const stem = filename.replace(/\.(tar\.gz|tgz|tar|zip|csv|tsv|parquet|jsonl|ndjson|json|xlsx|xls|txt)(\.(gz|bz2|xz|zst))?$/i, '')
  return (stem || filename).slice(0, 120)
}

export function fromFile(file: File): Source {
  return { filename: file.name, name: displayName(file.name), blob: file, fingerprint: `${file.name}:${file.size}:${file.lastModified}`, folder: false, files: 1 }
}

/** A folder travels as one tar. `name` is the folder's. */
export function fromFolder(name: string, members: Member[]): Source | null {
  const kept = members.filter((m) => !isClutter(m.path))
  if (kept.length === 0) return null
  const blob = tarBlob(kept)
  return { filename: `${name}.tar`, name: name.slice(0, 120), blob, fingerprint: `${name}/:${blob.size}:${kept.length}`, folder: true, files: kept.length }
}

/** Loose files: each its own data set, except that several images (sounds …) together are one. */
export function fromFiles(files: File[]): Source[] {
  const kindOf = (file: File) => Object.keys(TOGETHER).find((kind) => TOGETHER[kind]!.test(file.name))
  const sources = files.filter((file) => !kindOf(file) && !isClutter(file.name)).map(fromFile)
  for (const kind of Object.keys(TOGETHER)) {
    const members = files.filter((file) => kindOf(file) === kind)
    const folder = members.length > 0 && fromFolder(kind, members.map((file) => ({ path: `${kind}/${file.name}`, file })))
    if (folder) sources.push(folder)
  }
  return sources
}

/** From `<input webkitdirectory>`: every file says its path from the chosen folder on. */
export function fromDirectoryInput(files: File[]): Source | null {
  const name = files[0]?.webkitRelativePath.split('/')[0] || 'folder'
  return fromFolder(name, files.map((file) => ({ path: file.webkitRelativePath || file.name, file })))
}

async function readAll(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader()
  const all: FileSystemEntry[] = []
  for (;;) {
    // Browsers hand a directory out in parts of a hundred; an empty part is the end.
    const part = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail))
    if (part.length === 0) return all
    all.push(...part)
  }
}

async function walk(entry: FileSystemEntry, into: Member[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail))
    into.push({ path: entry.fullPath.replace(/^\//, ''), file })
  } else {
    for (const child of await readAll(entry as FileSystemDirectoryEntry)) await walk(child, into)
  }
}

/** Files and folders from a drop. Entries must be taken at once: the browser empties the list after the event. */
export async function fromDrop(transfer: DataTransfer): Promise<Source[]> {
  const entries = [...transfer.items].filter((i) => i.kind === 'file').map((i) => ({ entry: i.webkitGetAsEntry?.() ?? null, file: i.getAsFile() }))
  const files: File[] = []
  const sources: Source[] = []
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) {
      const members: Member[] = []
      await walk(entry, members)
      const folder = fromFolder(entry.name, members)
      if (folder) sources.push(folder)
    } else if (file) files.push(file)
  }
  return [...sources, ...fromFiles(files)]
}
