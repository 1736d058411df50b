/**
 * Whether the studio can be reached. Requests and the socket report what they see; while it is lost, /healthz is
 * asked with growing pauses until it answers, and whoever subscribed (the offline banner, the query cache) is told.
 */
import { useSyncExternalStore } from 'react'

type Listener = () => void
const PAUSES = [500, 1000, 2000, 3000, 5000]

class Connection {
  online = true
  private listeners = new Set<Listener>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private tries = 0

  subscribe = (listener: Listener) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  lost() {
    if (this.online) {
      this.online = false
      this.tries = 0
      this.tell()
    }
    this.timer ??= setTimeout(() => void this.probe(), PAUSES[0])
  }

  reached() {
    if (this.online) return
    clearTimeout(this.timer)
    this.timer = undefined
    this.online = true
    this.tell()
  }

  /** Ask now, not at the next pause (the banner's button, and the browser's own `online` event). */
  probe = async () => {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.online) return
    try {
      const answer = await fetch('/healthz', { cache: 'no-store' })
      if (answer.ok) return this.reached()
    } catch {
      // Still away; the next try is set below.
    }
    this.tries += 1
    this.timer = setTimeout(() => void this.probe(), PAUSES[Math.min(this.tries, PAUSES.length - 1)])
  }

  private tell() {
    for (const listener of this.listeners) listener()
  }
}

export const connection = new Connection()
if (typeof window !== 'undefined') window.addEventListener('online', () => void connection.probe())

export function useOnline(): boolean {
  return useSyncExternalStore(connection.subscribe, () => connection.online)
}
