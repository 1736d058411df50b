/**
 * One open pipeline: its draft, and how it is saved.
 *
 * The live document is tried first. When its socket cannot be had, the draft is saved over HTTP with the base it
 * started from; a newer draft on the server then asks the person instead of overwriting either side. What is not yet
 * confirmed is also kept in the browser, so that a reload or a restart of the studio loses nothing.
 */
import { fromBase64, toBase64 } from 'lib0/buffer'
import * as Y from 'yjs'

import { api, isApiError, unwrap, type Schemas } from '@/api/client'
import { DocumentLine } from '@/api/document'

import { merge } from '../graph/merge'
import { normalise, same, toApi, type Graph } from '../graph/types'
import { Draft } from './draft'

export type SaveState = 'loading' | 'saved' | 'saving' | 'offline' | 'conflict' | 'failed'

export interface Peer {
  readonly client: number
  readonly id: string
  readonly name: string
  readonly color: string
  readonly selection: readonly string[]
  readonly cursor: { x: number; y: number } | null
}

export interface SessionState {
  readonly ready: boolean
  readonly mode: 'opening' | 'live' | 'http'
  readonly save: SaveState
  readonly error: Error | null
  readonly peers: readonly Peer[]
  readonly conflict: { theirs: Graph; base: number } | null
}

/** How long the live document may take before the draft is opened over HTTP. */
const PATIENCE_MS = 4000
const SAVE_MS = 600

export class Session {
  readonly draft = new Draft()
  state: SessionState = { ready: false, mode: 'opening', save: 'loading', error: null, peers: [], conflict: null }
  private provider: DocumentLine | null = null
  private readonly listeners = new Set<() => void>()
  private patience: ReturnType<typeof setTimeout> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private keepTimer: ReturnType<typeof setTimeout> | undefined
  private base = 0
  private baseGraph: Graph = { steps: {} }
  private saving = false
  private tries = 0
  private closed = false
  private readonly keepKey: string

  constructor(
    private readonly project: string,
    private readonly pipeline: string,
    private readonly writable: boolean,
  ) {
    this.keepKey = `headrace:draft:${project}/${pipeline}`
    this.open()
    window.addEventListener('beforeunload', this.warn)
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  getState = (): SessionState => this.state

  /** Tells the others who is here, what is selected and where the pointer is. */
  present(state: { user?: { id: string; name: string; color: string }; selection?: string[]; cursor?: { x: number; y: number } | null }): void {
    for (const [field, value] of Object.entries(state)) this.provider?.awareness.setLocalStateField(field, value)
  }

  destroy(): void {
    this.closed = true
    // First of all: leaving changes who is here, and nobody may be told in the middle of being taken down.
    this.listeners.clear()
    clearTimeout(this.patience)
    clearTimeout(this.keepTimer)
    window.removeEventListener('beforeunload', this.warn)
    if (this.timer !== undefined) void this.saveNow()
    clearTimeout(this.timer)
    if (this.state.mode === 'live' && this.provider?.unsaved) this.keep()
    this.provider?.destroy()
    // The draft itself is left to the garbage collector: a save on its way still reads it.
  }

  /** Makes sure that the server has everything, as far as it can: before publishing and running. */
  async flush(): Promise<void> {
    if (this.state.mode === 'http') {
      await this.saveNow()
      return
    }
    for (let waited = 0; waited < 5000 && this.provider?.unsaved; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50))
  }

  async resolve(choice: 'both' | 'mine' | 'theirs'): Promise<void> {
    const conflict = this.state.conflict
    if (!conflict) return
    const mine = this.draft.getGraph()
    if (choice === 'theirs') this.draft.load(conflict.theirs)
    if (choice === 'both') this.draft.apply(merge(this.baseGraph, mine, conflict.theirs), 'Combined with the other draft')
    this.base = conflict.base
    this.baseGraph = conflict.theirs
    this.set({ conflict: null, save: choice === 'theirs' ? 'saved' : 'saving' })
    if (choice === 'theirs') this.forget()
    else await this.saveNow()
  }

  private open(): void {
    const kept = this.kept()
    if (kept?.update) {
      try {
        Y.applyUpdate(this.draft.doc, fromBase64(kept.update), this)
      } catch {
        this.forget()
      }
    }
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const provider = new DocumentLine(`${scheme}://${location.host}/ws/v1/projects/${encodeURIComponent(this.project)}/pipelines/${encodeURIComponent(this.pipeline)}`, this.draft.doc)
    this.provider = provider
    if (kept?.update) provider.unsaved = true
    provider.subscribe(this.onLine)
    provider.awareness.on('change', this.onPeers)
    this.patience = setTimeout(() => {
      if (!provider.loaded) void this.openHttp()
    }, PATIENCE_MS)
    // State seeded from the provider's own: an event missed before we listened changes nothing.
    this.onLine()
  }

  private onLine = (): void => {
    const provider = this.provider
    if (!provider || this.closed || this.state.mode === 'http') return
    if (provider.status === 'refused' && !provider.loaded) {
      void this.openHttp()
      return
    }
    if (!provider.loaded) return
    clearTimeout(this.patience)
    const save: SaveState = provider.status === 'refused' ? 'failed' : provider.status !== 'synced' ? 'offline' : provider.unsaved ? 'saving' : 'saved'
    if (provider.unsaved) this.keepSoon()
    else this.forget()
    this.set({ ready: true, mode: 'live', save, error: provider.status === 'refused' ? new Error('The studio no longer lets you edit this pipeline.') : null })
  }

  private onPeers = (): void => {
    const provider = this.provider
    if (!provider) return
    const peers: Peer[] = []
    for (const [client, state] of provider.awareness.getStates()) {
      const user = state.user as { id: string; name: string; color: string } | undefined
      if (client === provider.doc.clientID || !user) continue
      peers.push({ client, ...user, selection: (state.selection as string[] | undefined) ?? [], cursor: (state.cursor as Peer['cursor'] | undefined) ?? null })
    }
    this.set({ peers })
  }

  private async openHttp(): Promise<void> {
    if (this.closed || this.state.mode === 'http') return
    clearTimeout(this.patience)
    this.provider?.destroy()
    this.provider = null
    this.set({ mode: 'http' })
    try {
      const answer = await this.fetchDraft()
      this.base = answer.base
      this.baseGraph = normalise(answer.graph)
      const kept = this.kept()
      const mine = kept?.graph ? normalise(kept.graph) : kept?.update ? this.draft.getGraph() : null
      this.draft.load(this.baseGraph)
      if (mine) {
        if (kept?.base === answer.base) this.draft.load(mine)
        else if (!same(mine, this.baseGraph)) {
          this.draft.load(mine)
          this.set({ conflict: { theirs: this.baseGraph, base: answer.base } })
        }
      }
      this.draft.subscribe(this.saveSoon)
      this.set({ ready: true, save: this.state.conflict ? 'conflict' : 'saved', error: null })
      if (mine && !this.state.conflict) this.saveSoon()
    } catch (error) {
      if (this.closed) return
      this.set({ save: 'failed', error: error as Error })
      // Not found and not allowed stay so; anything else may pass.
      if (!isApiError(error) || error.status === 0 || error.status >= 500) {
        this.patience = setTimeout(() => {
          this.state = { ...this.state, mode: 'opening' }
          this.open()
        }, 2000)
      }
    }
  }

  private fetchDraft(): Promise<Schemas['DraftOut']> {
    return unwrap(api.GET('/api/v1/projects/{project}/pipelines/{pipeline}/draft', { params: { path: { project: this.project, pipeline: this.pipeline } } }))
  }

  private saveSoon = (): void => {
    if (!this.writable || this.state.conflict || same(this.draft.getGraph(), this.baseGraph)) return
    this.set({ save: 'saving' })
    this.keepSoon()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.saveNow(), SAVE_MS)
  }

  private async saveNow(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.saving || !this.writable || this.state.mode !== 'http' || this.state.conflict) return
    const graph = this.draft.getGraph()
    if (same(graph, this.baseGraph)) {
      this.set({ save: 'saved' })
      return
    }
    this.saving = true
    try {
      const answer = await unwrap(
        api.PUT('/api/v1/projects/{project}/pipelines/{pipeline}/draft', {
          params: { path: { project: this.project, pipeline: this.pipeline } },
          body: { base: this.base, graph: toApi(graph) },
        }),
      )
      this.base = answer.base
      this.baseGraph = graph
      this.tries = 0
      this.saving = false
      if (this.draft.getGraph() === graph) {
        this.forget()
        this.set({ save: 'saved', error: null })
      } else this.saveSoon()
    } catch (error) {
      this.saving = false
      if (isApiError(error) && error.status === 409) {
        const theirs = await this.fetchDraft()
        this.set({ save: 'conflict', conflict: { theirs: normalise(theirs.graph), base: theirs.base } })
      } else if (isApiError(error) && error.status >= 400 && error.status < 500) {
        this.set({ save: 'failed', error })
      } else {
        this.set({ save: 'offline', error: error as Error })
        this.timer = setTimeout(() => void this.saveNow(), Math.min(10_000, 1000 * 2 ** this.tries++))
      }
    }
  }

  private keepSoon(): void {
    if (this.keepTimer !== undefined) return
    this.keepTimer = setTimeout(() => {
      this.keepTimer = undefined
      if (this.state.save !== 'saved') this.keep()
    }, 400)
  }

  private keep(): void {
    try {
      const value = this.state.mode === 'http' ? { base: this.base, graph: toApi(this.draft.getGraph()) } : { update: toBase64(Y.encodeStateAsUpdate(this.draft.doc)) }
      localStorage.setItem(this.keepKey, JSON.stringify(value))
    } catch {
      // A full or forbidden storage costs only this safety net; the save itself goes on.
    }
  }

  private kept(): { update?: string; base?: number; graph?: Parameters<typeof normalise>[0] } | null {
    try {
      return this.writable ? (JSON.parse(localStorage.getItem(this.keepKey) ?? 'null') as { update?: string } | null) : null
    } catch {
      return null
    }
  }

  private forget(): void {
    clearTimeout(this.keepTimer)
    this.keepTimer = undefined
    try {
      localStorage.removeItem(this.keepKey)
    } catch {
      // As above.
    }
  }

  private warn = (event: BeforeUnloadEvent): void => {
    if (this.state.save !== 'saving' && this.state.save !== 'offline') return
    this.keep()
    if (this.state.save === 'offline') event.preventDefault()
  }

  private set(change: Partial<SessionState>): void {
    const next = { ...this.state, ...change }
    if ((Object.keys(change) as (keyof SessionState)[]).every((key) => this.state[key] === next[key])) return
    this.state = next
    for (const listener of this.listeners) listener()
  }
}
