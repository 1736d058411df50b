/**
 * The line of a document that several people edit at once: the y-websocket messages (sync, awareness) over one socket, and nothing else.
 *
 * "Saved" is known, not hoped for: after a change we ask the server for its state (sync step 1); its answer comes
 * after it has taken everything sent before, so the answer means that it has our change.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import { readSyncMessage, writeSyncStep1, writeUpdate } from 'y-protocols/sync'
import type * as Y from 'yjs'

import { backoff } from './events'

const SYNC = 0
const AWARENESS = 1
const QUERY_AWARENESS = 3
/** What the studio says of the thing itself, as JSON. */
const STATE = 10
/** One save a burst of typing. */
const CONFIRM_MS = 250
/** Bytes from which on a document is large when it arrives. */
const LARGE = 200_000

export type LineStatus = 'connecting' | 'synced' | 'waiting' | 'refused'

export class DocumentLine {
  readonly awareness: Awareness
  status: LineStatus = 'connecting'
  /** Has the document ever been filled from the server? */
  loaded = false
  /** Changes made here that the server has not confirmed. */
  unsaved = false
  /** What the studio last said of the thing itself. */
  state: unknown = null
  private socket: WebSocket | undefined
  private attempt = 0
  private closed = false
  private retry: ReturnType<typeof setTimeout> | undefined
  private confirm: ReturnType<typeof setTimeout> | undefined
  /** Sync questions on their way; only the answer to the last one confirms. */
  private asked = 0
  private readonly listeners = new Set<() => void>()

  constructor(
    private readonly url: string,
    readonly doc: Y.Doc,
  ) {
    this.awareness = new Awareness(doc)
    doc.on('update', this.onUpdate)
    this.awareness.on('update', this.onAwareness)
    window.addEventListener('beforeunload', this.leave)
    this.connect()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  destroy(): void {
    this.leave()
    this.closed = true
    clearTimeout(this.retry)
    clearTimeout(this.confirm)
    window.removeEventListener('beforeunload', this.leave)
    this.doc.off('update', this.onUpdate)
    this.socket?.close()
    this.awareness.destroy()
    this.listeners.clear()
  }

  private connect(): void {
    this.set('connecting')
    const socket = new WebSocket(this.url)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    let opened = false
    socket.onopen = () => {
      opened = true
      this.asked = 0
      this.ask()
      if (this.awareness.getLocalState()) this.sendAwareness([this.doc.clientID])
    }
    socket.onmessage = (message) => this.receive(new Uint8Array(message.data as ArrayBuffer))
    socket.onclose = (event) => {
      if (this.closed || this.socket !== socket) return
      removeAwarenessStates(this.awareness, [...this.awareness.getStates().keys()].filter((id) => id !== this.doc.clientID), this)
      // 44xx: signed out, not a member, nothing there. Trying again would not help.
      if (event.code >= 4400 && event.code < 4500) {
        this.set('refused')
        return
      }
      this.set('waiting')
      if (opened && this.loaded) this.attempt = Math.min(this.attempt, 2)
      this.retry = setTimeout(() => this.connect(), backoff(this.attempt++))
    }
  }

  private receive(data: Uint8Array): void {
    const decoder = decoding.createDecoder(data)
    const kind = decoding.readVarUint(decoder)
    if (kind === SYNC) {
      const encoder = encoding.createEncoder()
      encoding.writeVarUint(encoder, SYNC)
      const type = this.read(decoder, encoder, data.length)
      if (encoding.length(encoder) > 1) this.send(encoding.toUint8Array(encoder))
      if (type === 1) this.answered()
    } else if (kind === AWARENESS) {
      applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), this)
    } else if (kind === STATE) {
      this.state = JSON.parse(new TextDecoder().decode(decoding.readVarUint8Array(decoder)))
      this.tell()
    } else if (kind === QUERY_AWARENESS) {
      this.sendAwareness([...this.awareness.getStates().keys()])
    }
  }

  /** Yjs writes each change as an update for those who listen; of a large document as it arrives that takes as long as reading it. */
  private read(decoder: decoding.Decoder, encoder: encoding.Encoder, size: number): number {
    const first = !this.loaded && size > LARGE
    if (first) this.doc.off('update', this.onUpdate)
    try {
      return readSyncMessage(decoder, encoder, this.doc, this)
    } finally {
      if (first) this.doc.on('update', this.onUpdate)
    }
  }

  /** The server has told its state: it has everything we sent before asking, and we have everything it had. */
  private answered(): void {
    this.asked = Math.max(0, this.asked - 1)
    this.loaded = true
    this.attempt = 0
    if (this.asked === 0 && this.confirm === undefined) this.unsaved = false
    this.set('synced')
  }

  private ask(): void {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, SYNC)
    writeSyncStep1(encoder, this.doc)
    if (this.send(encoding.toUint8Array(encoder))) this.asked += 1
  }

  private onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return
    this.unsaved = true
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, SYNC)
    writeUpdate(encoder, update)
    this.send(encoding.toUint8Array(encoder))
    clearTimeout(this.confirm)
    this.confirm = setTimeout(() => {
      this.confirm = undefined
      this.ask()
    }, CONFIRM_MS)
    this.tell()
  }

  private onAwareness = ({ added, updated, removed }: { added: number[]; updated: number[]; removed: number[] }, origin: unknown): void => {
    if (origin !== this) this.sendAwareness([...added, ...updated, ...removed])
  }

  private sendAwareness(clients: number[]): void {
    if (clients.length === 0) return
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, AWARENESS)
    encoding.writeVarUint8Array(encoder, encodeAwarenessUpdate(this.awareness, clients))
    this.send(encoding.toUint8Array(encoder))
  }

  private leave = (): void => {
    removeAwarenessStates(this.awareness, [this.doc.clientID], 'leave')
  }

  private send(data: Uint8Array): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false
    this.socket.send(data as Uint8Array<ArrayBuffer>)
    return true
  }

  private set(status: LineStatus): void {
    this.status = status
    this.tell()
  }

  private tell(): void {
    for (const listener of this.listeners) listener()
  }
}
