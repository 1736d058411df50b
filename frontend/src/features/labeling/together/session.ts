/**
 * One item that several people label at once: its shared draft, its line to the studio, and who else is there.
 *
 * What the studio has not confirmed is also kept in this browser: a reload, a crash or a restart of the studio loses
 * nothing, and what was drawn without a line merges when it is back.
 */
import { fromBase64, toBase64 } from 'lib0/buffer'
import * as Y from 'yjs'

import { DocumentLine } from '@/api/document'
import { colorOf } from '@/lib/people'

import type { EditorStore, LabelConfig, Peer, Result } from '../editor'
import { SharedResult } from './document'

export interface Submitted {
  readonly id: string
  readonly version: number
  readonly status: string
  readonly by: { readonly id: string; readonly name: string } | null
}

export interface TogetherState {
  /** May be edited: the draft is here or, without a line, what this browser has of it. */
  readonly ready: boolean
  readonly save: 'kept' | 'saving' | 'local'
  readonly refused: boolean
  readonly peers: readonly Peer[]
  /** What was submitted of the item, by whomever. */
  readonly submitted: Submitted | null
}

/** Without a line for so long, work begins with what this browser has. */
const PATIENCE_MS = 4000
const KEEP_MS = 150
const OPENING: TogetherState = { ready: false, save: 'kept', refused: false, peers: [], submitted: null }

export interface Subject {
  readonly project: string
  readonly schema: { readonly id: string; readonly slug: string }
  readonly item: number
  readonly user: { readonly id: string; readonly name: string }
  readonly config: LabelConfig
  /** What this person began alone. */
  readonly begun: Result
}

export class TogetherSession {
  readonly result: SharedResult
  state = OPENING
  private readonly line: DocumentLine
  private readonly key: string
  private readonly listeners = new Set<() => void>()
  private patience: ReturnType<typeof setTimeout> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private loaded = false

  constructor(private readonly subject: Subject) {
    const { project, schema, item, user } = subject
    this.key = `headrace.shared.${user.id}.${schema.id}.${item}`
    this.result = new SharedResult(subject.config)
    const kept = this.kept()
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    this.line = new DocumentLine(`${scheme}://${location.host}/ws/v1/projects/${encodeURIComponent(project)}/label-schemas/${encodeURIComponent(schema.slug)}/items/${item}`, this.result.doc)
    this.line.unsaved = kept
    this.line.awareness.setLocalState({ user: { id: user.id, name: user.name, color: colorOf(user.id) }, selected: [], pointer: null, drawing: null })
    this.line.subscribe(this.onLine)
    this.line.awareness.on('change', this.onPeers)
    this.patience = setTimeout(() => this.set({ ready: !this.state.refused, save: 'local' }), PATIENCE_MS)
    window.addEventListener('pagehide', this.keep)
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  getState = (): TogetherState => this.state

  /** Shows the others in this editor, and this editor's person to them. */
  attach(editor: EditorStore): () => void {
    let selected = editor.state.selected
    const present = (part: object) => {
      for (const [field, value] of Object.entries(part)) this.line.awareness.setLocalStateField(field, value)
    }
    editor.onPresence = present
    editor.set({ peers: this.state.peers })
    const off = [
      this.subscribe(() => editor.set({ peers: this.state.peers })),
      editor.subscribe(() => {
        if (editor.state.selected === selected) return
        selected = editor.state.selected
        present({ selected: [...selected].slice(0, 50) })
      }),
    ]
    return () => {
      editor.onPresence = undefined
      for (const end of off) end()
    }
  }

  /** Waits until the studio has everything; not for ever: what it lacks then is kept here. */
  async flush(): Promise<void> {
    for (let waited = 0; waited < 3000 && this.line.unsaved && this.line.status === 'synced'; waited += 25) await new Promise((resolve) => setTimeout(resolve, 25))
  }

  destroy(): void {
    this.listeners.clear()
    clearTimeout(this.patience)
    clearTimeout(this.timer)
    window.removeEventListener('pagehide', this.keep)
    this.keep()
    this.line.destroy()
    this.result.destroy()
  }

  private onLine = (): void => {
    const { line } = this
    const refused = line.status === 'refused'
    if (line.loaded && !this.loaded) {
      this.loaded = true
      clearTimeout(this.patience)
      if (this.result.untouched && this.subject.begun.length > 0) this.result.begin(this.subject.begun)
    }
    if (line.unsaved) this.timer ??= setTimeout(this.keep, KEEP_MS)
    else if (line.loaded) localStorage.removeItem(this.key)
    const said = line.state as { annotation: Submitted | null } | null
    this.set({
      ready: line.loaded ? true : this.state.ready,
      refused,
      save: line.loaded && line.status === 'synced' ? (line.unsaved ? 'saving' : 'kept') : line.loaded || this.state.ready ? 'local' : this.state.save,
      submitted: said ? said.annotation : this.state.submitted,
    })
  }

  private onPeers = (): void => {
    const peers: Peer[] = []
    for (const [client, shown] of this.line.awareness.getStates()) {
      const { user, selected, pointer, drawing } = shown as Partial<Omit<Peer, 'client'>> & { user?: { id: string; name: string; color: string } }
      if (client === this.result.doc.clientID || !user) continue
      peers.push({ client, id: user.id, name: user.name, color: colorOf(user.id), selected: Array.isArray(selected) ? selected : [], pointer: pointer ?? null, drawing: Array.isArray(drawing?.points) ? drawing : null })
    }
    this.set({ peers })
  }

  private keep = (): void => {
    clearTimeout(this.timer)
    this.timer = undefined
    if (!this.line.unsaved) return
    try {
      localStorage.setItem(this.key, toBase64(Y.encodeStateAsUpdate(this.result.doc)))
    } catch {
      // A full or forbidden storage costs only this safety net.
    }
  }

  private kept(): boolean {
    try {
      const found = localStorage.getItem(this.key)
      if (found) Y.applyUpdate(this.result.doc, fromBase64(found), this)
      return found !== null
    } catch {
      localStorage.removeItem(this.key)
      return false
    }
  }

  private set(change: Partial<TogetherState>): void {
    const next = { ...this.state, ...change }
    if ((Object.keys(change) as (keyof TogetherState)[]).every((key) => this.state[key] === next[key])) return
    this.state = next
    for (const listener of this.listeners) listener()
  }
}
