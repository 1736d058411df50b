/**
 * Live events of a project: one socket a project and browser tab, shared by every page and widget that listens.
 *
 *     useLive('project', (event) => …)            uploads, data sets, models, endpoints, statuses of runs
 *     useLive('studio', (event) => …)             hosts that come, go and change: no project's
 *     useLive(`run:${id}`, (event) => …, { onReconnect: refetch })
 *
 * Events are hints on top of what HTTP says, never the only source: after a break in the line, `onReconnect` runs and
 * all queries of the project are asked again.
 */
import { useQueryClient } from '@tanstack/react-query'
import { createContext, createElement, useContext, useEffect, useRef, useState, useSyncExternalStore, type ReactNode } from 'react'
import { connection } from './connection'
import { keys } from './keys'
import type { Schemas } from './client'

export type LiveEvent = Schemas['EventsOut']['events'][number]
export type Topic = 'project' | 'studio' | `run:${string}` | `label_schema:${string}`
/** Where somebody is: an item of a queue. */
export type Place = { label_schema: string; item: number; doing: 'labelling' | 'reviewing' | 'looking' }
export type LiveState = 'connecting' | 'open' | 'waiting'

/** The studio forgets within 7 s who says nothing more. */
const BEAT_MS = 2500

type Handler = (event: LiveEvent) => void

/** Pause before the n-th try: 0.5 s doubling to 15 s, spread out so that all tabs do not come at once. */
export function backoff(attempt: number, random: number = Math.random()): number {
  return Math.min(15_000, 500 * 2 ** attempt) * (0.6 + 0.4 * random)
}

/** Which topic an event belongs to: events with a run go to that run's listeners and to the project's. */
export function topicsOf(event: LiveEvent): Topic[] {
  if (event.type === 'hosts_changed') return ['studio']
  if (event.type === 'presence_changed') return [`label_schema:${event.schema_id}`]
  return 'run' in event ? [`run:${event.run}`, 'project'] : ['project']
}

export class LiveSocket {
  state: LiveState = 'connecting'
  private socket: WebSocket | undefined
  private handlers = new Map<Topic, Set<Handler>>()
  private reconnects = new Set<() => void>()
  private stateListeners = new Set<() => void>()
  private attempt = 0
  private opened = false
  private catchUp = false
  private closed = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private place: Place | null = null
  private beat: ReturnType<typeof setInterval> | undefined
  private readonly url: string
  private readonly stopWaiting: () => void

  constructor(project: string) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    this.url = `${scheme}://${location.host}/ws/v1/projects/${encodeURIComponent(project)}`
    this.connect()
    // The studio answers again: no reason to sit out the pause.
    this.stopWaiting = connection.subscribe(() => {
      if (!connection.online || this.state !== 'waiting' || this.timer === undefined) return
      clearTimeout(this.timer)
      this.connect()
    })
  }

  on(topic: Topic, handler: Handler): () => void {
    const found = this.handlers.get(topic)
    if (found) found.add(handler)
    else {
      this.handlers.set(topic, new Set([handler]))
      this.send({ subscribe: [topic] })
    }
    return () => {
      const set = this.handlers.get(topic)
      set?.delete(handler)
      if (set?.size === 0) {
        this.handlers.delete(topic)
        this.send({ unsubscribe: [topic] })
      }
    }
  }

  /** Says where this page is, again and again until it is elsewhere or, with null, nowhere. */
  present(place: Place | null) {
    clearInterval(this.beat)
    this.place = place
    this.send({ present: place })
    if (place) this.beat = setInterval(() => this.send({ present: place }), BEAT_MS)
  }

  onReconnect(callback: () => void): () => void {
    this.reconnects.add(callback)
    return () => void this.reconnects.delete(callback)
  }

  onState = (listener: () => void) => {
    this.stateListeners.add(listener)
    return () => void this.stateListeners.delete(listener)
  }

  close() {
    this.closed = true
    this.stopWaiting()
    clearTimeout(this.timer)
    clearInterval(this.beat)
    this.socket?.close()
  }

  private connect() {
    this.timer = undefined
    this.setState('connecting')
    const socket = new WebSocket(this.url)
    this.socket = socket
    socket.onopen = () => {
      if (this.handlers.size) this.send({ subscribe: [...this.handlers.keys()] })
      if (this.place) this.send({ present: this.place })
      this.setState('open')
      // Asked again only once the studio follows for us: an event between our question and that would reach nobody.
      this.catchUp = this.opened
      this.opened = true
      this.attempt = 0
    }
    socket.onmessage = (message) => {
      const said = JSON.parse(String(message.data)) as { events?: LiveEvent[]; subscribed?: string[]; resync?: boolean; ping?: boolean }
      const { events, subscribed, resync, ping } = said
      if (ping) this.send({ ping: 1 })
      if (resync || (subscribed && this.catchUp)) {
        this.catchUp = false
        for (const callback of this.reconnects) callback()
      }
      for (const event of events ?? []) {
        for (const topic of topicsOf(event)) for (const handler of this.handlers.get(topic) ?? []) handler(event)
      }
    }
    socket.onclose = ({ code }) => {
      if (this.closed || this.socket !== socket) return
      const broke = this.state === 'open'
      this.setState('waiting')
      // 44xx: signed out, removed, no such project. Trying again would not help; the next request says why.
      if (code >= 4400 && code < 4500) {
        for (const callback of this.reconnects) callback()
        return
      }
      this.timer = setTimeout(() => this.connect(), backoff(this.attempt++))
      // A line that stood and broke says more than one that never stood (a proxy without sockets): only then the studio may be away.
      if (broke) connection.lost()
    }
  }

  private send(message: object) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  private setState(state: LiveState) {
    this.state = state
    for (const listener of this.stateListeners) listener()
  }
}

const LiveContext = createContext<LiveSocket | null>(null)

/** Opens the project's socket for everything below it, and keeps the query cache fresh from project events. */
export function LiveProvider({ project, children }: { project: string; children: ReactNode }) {
  const [socket, setSocket] = useState<LiveSocket | null>(null)
  const client = useQueryClient()
  useEffect(() => {
    const live = new LiveSocket(project)
    setSocket(live)
    const stop = live.onReconnect(() => void client.invalidateQueries({ queryKey: keys.project(project) }))
    const off = live.on('project', (event) => {
      if (event.type === 'dataset_changed') void client.invalidateQueries({ queryKey: keys.datasets(project) })
      if (event.type === 'model_changed') void client.invalidateQueries({ queryKey: keys.models(project) })
      if (event.type === 'trigger_changed') void client.invalidateQueries({ queryKey: keys.triggers(project) })
      if (event.type === 'endpoint_changed') void client.invalidateQueries({ queryKey: keys.endpoints(project) })
    })
    return () => {
      stop()
      off()
      live.close()
      setSocket(null)
    }
  }, [project, client])
  return createElement(LiveContext.Provider, { value: socket }, children)
}

/** Calls `handler` with every event of `topic` while mounted. Pass null to listen to nothing. */
export function useLive(topic: Topic | null, handler: Handler, options: { onReconnect?: () => void } = {}): void {
  const socket = useContext(LiveContext)
  const latest = useRef({ handler, onReconnect: options.onReconnect })
  useEffect(() => {
    latest.current = { handler, onReconnect: options.onReconnect }
  })
  useEffect(() => {
    if (!socket || !topic) return
    const off = socket.on(topic, (event) => latest.current.handler(event))
    const stop = socket.onReconnect(() => latest.current.onReconnect?.())
    return () => {
      off()
      stop()
    }
  }, [socket, topic])
}

/** Tells the others of the project that this page is there while it is mounted; null: it is nowhere. */
export function useHere(place: Place | null): void {
  const socket = useContext(LiveContext)
  const { label_schema, item, doing } = place ?? {}
  useEffect(() => {
    if (!socket || !label_schema || !item || !doing) return
    socket.present({ label_schema, item, doing })
    return () => socket.present(null)
  }, [socket, label_schema, item, doing])
}

/** For a small “live” sign. */
export function useLiveState(): LiveState {
  const socket = useContext(LiveContext)
  return useSyncExternalStore(
    (listener) => socket?.onState(listener) ?? (() => {}),
    () => socket?.state ?? 'connecting',
  )
}
