import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { headers, isClutter, tarBlob } from './tar'

const file = (text: string) => new Blob([text])

async function bytesOf(blob: Blob): Promise<Buffer> {
  const buffer = await new Promise<ArrayBuffer>((done) => {
    const reader = new FileReader()
    reader.onload = () => done(reader.result as ArrayBuffer)
    reader.readAsArrayBuffer(blob)
  })
  return Buffer.from(buffer)
}

test('tar itself reads what we write: nested, long and non-ASCII names, empty files, odd sizes', async () => {
  const long = `photos/${'a-very-long-folder-name/'.repeat(6)}übung.png`
  const members = [
    { path: 'photos/cats/1.png', file: file('meow') },
    { path: 'photos/dogs/empty.png', file: file('') },
    { path: long, file: file('x'.repeat(1025)) },
  ]
  const bytes = await bytesOf(tarBlob(members))
  expect(bytes.length % 512).toBe(0)
  const folder = mkdtempSync(join(tmpdir(), 'tar-'))
  try {
    writeFileSync(join(folder, 'a.tar'), bytes)
    const names = execFileSync('tar', ['--quoting-style=literal', '-tf', join(folder, 'a.tar')], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } }).trim().split('\n')
    expect(names.sort()).toEqual([...members.map((m) => m.path)].sort())
    execFileSync('tar', ['-xf', join(folder, 'a.tar'), '-C', folder], { env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    expect(readFileSync(join(folder, long), 'utf8')).toBe('x'.repeat(1025))
    expect(readFileSync(join(folder, 'photos/cats/1.png'), 'utf8')).toBe('meow')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the same folder gives the same bytes in whatever order the browser lists it', async () => {
  const a = { path: 'f/a.txt', file: file('1') }
  const b = { path: 'f/b.txt', file: file('2') }
  expect(Buffer.compare(await bytesOf(tarBlob([a, b])), await bytesOf(tarBlob([b, a])))).toBe(0)
})

test('a pax record counts its own length, also where the count grows by a digit', () => {
  for (let length = 80; length < 120; length += 1) {
    const parts = headers('ü'.repeat(length), 1, 0)
    const text = new TextDecoder().decode(parts[1]).replace(/\0+$/, '')
    expect(new TextEncoder().encode(text).length).toBe(Number(text.split(' ')[0]))
  }
})

test('what systems leave in folders is not uploaded', () => {
  expect(['a/.DS_Store', '__MACOSX/a/._1.png', 'a/._1.png'].every(isClutter)).toBe(true)
  expect(isClutter('a/1.png')).toBe(false)
})
