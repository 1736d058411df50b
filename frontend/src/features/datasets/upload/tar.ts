/**
 * A folder as a stored (uncompressed) tar, without copying its files: the archive is a Blob made of headers and of the
 * files themselves, which the browser reads from disk piece by piece as chunks are sent. The same folder always gives the
 * same bytes, so that an upload can go on after a reload.
 */

export type Member = { path: string; file: Blob & { lastModified?: number } }

const BLOCK = 512

/** Files that systems leave in folders and nobody means to upload. */
export function isClutter(path: string): boolean {
  return path.split('/').some((part) => part === '__MACOSX' || part === '.DS_Store' || part === 'Thumbs.db' || part === 'desktop.ini' || part.startsWith('._') || part === '.git')
}

export function tarBlob(members: Member[]): Blob {
  const sorted = [...members].sort((a, b) => (a.path < b.path ? -1 : 1))
  const parts: BlobPart[] = []
  for (const { path, file } of sorted) {
    parts.push(...(headers(path, file.size, Math.floor((file.lastModified ?? 0) / 1000)) as BlobPart[]), file)
    const rest = file.size % BLOCK
    if (rest) parts.push(new Uint8Array(BLOCK - rest))
  }
  parts.push(new Uint8Array(2 * BLOCK))
  return new Blob(parts, { type: 'application/x-tar' })
}

/** The header of one file; a longer one first (pax) where the plain format cannot hold the path or the size. */
export function headers(path: string, size: number, mtime: number): Uint8Array[] {
  const encoder = new TextEncoder()
  const name = encoder.encode(path)
  const plain = name.length <= 100 && /^[\x20-\x7e]*$/.test(path) && size < 8 ** 11
  if (plain) return [header(name, size, mtime, '0')]
  const records = encoder.encode(record('path', path) + (size >= 8 ** 11 ? record('size', String(size)) : ''))
  const padded = new Uint8Array(Math.ceil(records.length / BLOCK) * BLOCK)
  padded.set(records)
  return [header(encoder.encode('PaxHeader'), records.length, mtime, 'x'), padded, header(name.slice(0, 100), Math.min(size, 8 ** 11 - 1), mtime, '0')]
}

/** `27 path=…\n`: the number counts the whole record in bytes, itself included. */
function record(key: string, value: string): string {
  const tail = ` ${key}=${value}\n`
  const bytes = new TextEncoder().encode(tail).length
  let length = bytes + String(bytes).length
  if (String(length).length > String(bytes).length) length = bytes + String(length).length
  return `${length}${tail}`
}

function header(name: Uint8Array, size: number, mtime: number, type: string): Uint8Array {
  const block = new Uint8Array(BLOCK)
  const put = (text: string, at: number) => {
    for (let i = 0; i < text.length; i += 1) block[at + i] = text.charCodeAt(i)
  }
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
  block.set(name.slice(0, 100), 0)
  put(`${octal(0o644, 7)}\0`, 100)
  put(`${octal(0, 7)}\0`, 108)
  put(`${octal(0, 7)}\0`, 116)
  put(`${octal(size, 11)}\0`, 124)
  put(`${octal(Math.max(0, mtime), 11)}\0`, 136)
  put('        ', 148)
  put(type, 156)
  put('ustar\0', 257)
  put('00', 263)
  let sum = 0
  for (const byte of block) sum += byte
  put(`${octal(sum, 6)}\0 `, 148)
  return block
}
