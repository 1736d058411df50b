/**
 * Uploads of this tab: they go on while the person moves between pages, survive a lost connection by themselves and a
 * reload with the person's help (the browser does not let a page open the file again without being asked).
 * The server is the truth about how much has arrived; here is only what is being sent.
 */
import { useSyncExternalStore } from 'react'
import { api, ApiError, csrfToken, isApiError, UNREACHABLE, unwrap, type Problem, type Schemas } from '@/api/client'
import { connection } from '@/api/connection'
import type { Source } from './source'
import { Speedometer } from './speed'

const CHUNK = 8 * 1024 * 1024
const AT_ONCE = 2
const POLL_MS = 1500

export type UploadState = 'waiting' | 'sending' | 'stalled' | 'processing' | 'ready' | 'failed' | 'cancelled'

export type UploadItem = {
  key: string
  project: string
  id: string | null
  name: string
  filename: string
  folder: boolean
  files: number
  size: number
  sent: number
  state: UploadState
  progress: number
  message: string
  speed: number | null
  secondsLeft: number | null
  dataset: string | null
  version: number | null
  error: unknown
  problems: Problem[]
}

export type Target = { dataset?: string; name?: string; mode?: 'replace' | 'append' }

type Job = { item: UploadItem; source: Source; target: Target; abort: AbortController; meter: Speedometer; wake?: () => void }

/** What is kept over a reload, to recognise the same file when it is chosen again. */
export type Remembered = { id: string; fingerprint: string; folder: boolean }

const storeKey = (project: string) => `headrace.uploads.${project}`

export function remembered(project: string): Remembered[] {
  try {
    return JSON.parse(localStorage.getItem(storeKey(project)) ?? '[]') as Remembered[]
  } catch {
    return []
  }
}

function remember(project: string, entry: Remembered): void {
  localStorage.setItem(storeKey(project), JSON.stringify([...remembered(project).filter((r) => r.id !== entry.id), entry]))
}

export function forget(project: string, id: string): void {
  localStorage.setItem(storeKey(project), JSON.stringify(remembered(project).filter((r) => r.id !== id)))
}

class UploadManager {
  private jobs = new Map<string, Job>()
  private listeners = new Set<() => void>()
  private view: UploadItem[] = []
  private count = 0

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  snapshot = () => this.view

  /** Queue an upload. `resume` is the server's id of an upload that was begun before. */
  add(project: string, source: Source, target: Target = {}, resume?: { id: string; received: number }): void {
    const key = `upload-${(this.count += 1)}`
    const item: UploadItem = {
      key,
      project,
      id: resume?.id ?? null,
      name: target.name ?? source.name,
      filename: source.filename,
      folder: source.folder,
      files: source.files,
      size: source.blob.size,
      sent: resume?.received ?? 0,
      state: 'waiting',
      progress: 0,
      message: '',
      speed: null,
      secondsLeft: null,
      dataset: null,
      version: null,
      error: null,
      problems: [],
    }
    this.jobs.set(key, { item, source, target, abort: new AbortController(), meter: new Speedometer() })
    this.publish()
    this.pump()
  }

  async cancel(key: string): Promise<void> {
    const job = this.jobs.get(key)
    if (!job) return
    job.abort.abort()
    const { id, project } = job.item
    this.change(job, { state: 'cancelled', speed: null, secondsLeft: null })
    if (id) {
      forget(project, id)
      await unwrap(api.DELETE('/api/v1/projects/{project}/uploads/{upload_id}', { params: { path: { project, upload_id: id } } })).catch(() => {
        // The server forgets unfinished uploads by itself after a while.
      })
    }
    this.pump()
  }

  dismiss(key: string): void {
    this.jobs.delete(key)
    this.publish()
  }

  /** A live event says that something happened to an upload: look now, not at the next poll. */
  poke(id: string): void {
    for (const job of this.jobs.values()) if (job.item.id === id) job.wake?.()
  }

  private pump(): void {
    const busy = [...this.jobs.values()].filter((j) => j.item.state === 'sending' || j.item.state === 'stalled').length
    const next = [...this.jobs.values()].filter((j) => j.item.state === 'waiting').slice(0, Math.max(0, AT_ONCE - busy))
    for (const job of next) void this.run(job)
  }

  private async run(job: Job): Promise<void> {
    const { item, source, target, abort } = job
    const project = item.project
    try {
      this.change(job, { state: 'sending' })
      if (!item.id) {
        const begun = await this.patiently(job, () =>
          unwrap(api.POST('/api/v1/projects/{project}/uploads', { params: { path: { project } }, body: { filename: source.filename, size: source.blob.size, mode: target.mode ?? 'replace', ...(target.dataset ? { dataset: target.dataset } : { name: item.name }) } as Schemas['UploadIn'] })),
        )
        this.change(job, { id: begun.id })
        remember(project, { id: begun.id, fingerprint: source.fingerprint, folder: source.folder })
      }
      job.meter.add(job.item.sent, Date.now())
      while (job.item.sent < source.blob.size) {
        const offset = job.item.sent
        try {
          const after = await this.patiently(job, () => this.send(job, offset))
          this.change(job, { sent: after.received })
        } catch (error) {
          // The server has another number of bytes than we thought (a chunk that arrived although its answer did not).
          if (!isApiError(error) || error.status !== 409 || typeof error.details.expected !== 'number') throw error
          this.change(job, { sent: error.details.expected })
        }
      }
      const id = job.item.id!
      await this.patiently(job, () => unwrap(api.POST('/api/v1/projects/{project}/uploads/{upload_id}/complete', { params: { path: { project, upload_id: id } } })))
      forget(project, id)
      this.change(job, { state: 'processing', speed: null, secondsLeft: null })
      this.pump()
      await this.follow(job, id)
    } catch (error) {
      if (abort.signal.aborted) return
      if (job.item.id && isApiError(error) && [404, 409, 422].includes(error.status)) forget(project, job.item.id)
      this.change(job, { state: 'failed', error, speed: null, secondsLeft: null })
    } finally {
      this.pump()
    }
  }

  /** Until the worker has read it. */
  private async follow(job: Job, id: string): Promise<void> {
    const project = job.item.project
    for (;;) {
      const now = await this.patiently(job, () => unwrap(api.GET('/api/v1/projects/{project}/uploads/{upload_id}', { params: { path: { project, upload_id: id } } })))
      if (now.status === 'ready' || now.status === 'failed' || now.status === 'cancelled') {
        this.change(job, {
          state: now.status,
          progress: 1,
          message: now.message,
          dataset: now.dataset,
          version: now.version,
          problems: now.problems.map((p) => ({ field: p.field ?? '', message: p.message, expected: p.expected ?? '' })),
        })
        return
      }
      this.change(job, { progress: now.progress, message: now.message })
      await new Promise<void>((done) => {
        const timer = setTimeout(done, POLL_MS)
        job.wake = () => {
          clearTimeout(timer)
          done()
        }
      })
      if (job.abort.signal.aborted) return
    }
  }

  /** XMLHttpRequest, because fetch does not tell how much of a body has been sent. */
  private send(job: Job, offset: number): Promise<Schemas['UploadOut']> {
    const { item, source, abort, meter } = job
    const body = source.blob.slice(offset, offset + CHUNK)
    return new Promise((done, fail) => {
      const request = new XMLHttpRequest()
      const stop = () => request.abort()
      request.open('PUT', `/api/v1/projects/${encodeURIComponent(item.project)}/uploads/${item.id}/chunks?offset=${offset}`)
      request.setRequestHeader('Content-Type', 'application/octet-stream')
      request.setRequestHeader('X-CSRFToken', csrfToken())
      request.upload.onprogress = (event) => {
        meter.add(offset + event.loaded, Date.now())
        this.change(job, { sent: Math.min(offset + event.loaded, offset + body.size), speed: meter.bytesPerSecond, secondsLeft: meter.secondsLeft(item.size - offset - event.loaded) })
      }
      request.onload = () => {
        abort.signal.removeEventListener('abort', stop)
        const answer = parse(request.responseText)
        if (request.status >= 200 && request.status < 300) {
          connection.reached()
          done(answer as Schemas['UploadOut'])
        } else {
          const told = (answer as { error?: ConstructorParameters<typeof ApiError>[1] } | null)?.error
          const away = !told && [0, 502, 503, 504].includes(request.status)
          fail(new ApiError(request.status, told ?? { code: away ? UNREACHABLE : 'http_error', message: away ? 'The studio does not answer.' : `The studio refused the chunk (HTTP ${request.status}).` }))
        }
      }
      request.onerror = () => {
        abort.signal.removeEventListener('abort', stop)
        // A file that was changed or removed on disk fails like the network does; reading one byte of it tells them apart.
        body
          .slice(0, 1)
          .arrayBuffer()
          .then(
            () => fail(new ApiError(0, { code: UNREACHABLE, message: 'The studio does not answer.' })),
            () => fail(new ApiError(0, { code: 'file_unreadable', message: `${item.filename} can no longer be read.`, hint: 'It was changed, moved or removed on this computer since you chose it. Choose it again.' })),
          )
      }
      request.onabort = () => fail(new DOMException('cancelled', 'AbortError'))
      abort.signal.addEventListener('abort', stop, { once: true })
      request.send(body)
    })
  }

  /** Tries again as long as the studio is away. Everything else is the caller's. */
  private async patiently<T>(job: Job, act: () => Promise<T>): Promise<T> {
    for (;;) {
      if (job.abort.signal.aborted) throw new DOMException('cancelled', 'AbortError')
      try {
        const result = await act()
        if (job.item.state === 'stalled') this.change(job, { state: 'sending' })
        return result
      } catch (error) {
        if (!isApiError(error) || error.code !== UNREACHABLE) throw error
        connection.lost()
        if (job.item.state === 'sending') this.change(job, { state: 'stalled', speed: null, secondsLeft: null })
        await new Promise<void>((done) => {
          if (connection.online) return done()
          const off = connection.subscribe(() => {
            off()
            done()
          })
          job.abort.signal.addEventListener('abort', () => done(), { once: true })
        })
      }
    }
  }

  private change(job: Job, part: Partial<UploadItem>): void {
    // A cancelled upload stays so, whatever still arrives.
    if (job.item.state === 'cancelled') return
    job.item = { ...job.item, ...part }
    this.publish()
  }

  private publish(): void {
    this.view = [...this.jobs.values()].map((j) => j.item)
    for (const listener of this.listeners) listener()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export const uploads = new UploadManager()

export function useUploads(project: string): UploadItem[] {
  const all = useSyncExternalStore(uploads.subscribe, uploads.snapshot)
  return all.filter((u) => u.project === project)
}

if (typeof window !== 'undefined') {
  window.addEventListener('beforeunload', (event) => {
    if (uploads.snapshot().some((u) => u.state === 'sending' || u.state === 'stalled' || u.state === 'waiting')) event.preventDefault()
  })
}
