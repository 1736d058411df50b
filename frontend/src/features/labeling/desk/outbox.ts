/**
 * What was submitted and is not yet confirmed. It is kept in this browser until the studio has answered: the next item is
 * shown at once, and a page that is closed, or a studio that restarts, loses no annotation. The annotation's own id makes
 * sending it twice the same as sending it once.
 */
import { isApiError, UNREACHABLE } from '@/api/client'

export type Letter = { id: string; project: string; schema: string; item: number; body: unknown }
type Send = (letter: Letter) => Promise<unknown>
type Refused = (letter: Letter, error: unknown) => void

function read(key: string): Letter[] {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? '[]') as unknown
    return Array.isArray(found) ? (found as Letter[]) : []
  } catch {
    return []
  }
}

export class Outbox {
  private waiting: Letter[]
  private busy: Promise<void> | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private attempt = 0
  private readonly listeners = new Set<() => void>()
  /** Set by the page. */
  refused: Refused = () => undefined
  private readonly key: string
  private readonly send: Send
  private readonly pause: (attempt: number) => number

  /** `user` whose annotations these are: another person at the same browser does not send them. */
  constructor(user: string, send: Send, pause = (attempt: number) => Math.min(15_000, 500 * 2 ** attempt)) {
    this.key = `headrace.outbox.${user}`
    this.waiting = read(this.key)
    this.send = send
    this.pause = pause
  }

  get size(): number {
    return this.waiting.length
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  add(letter: Letter): Promise<void> {
    this.put([...this.waiting, letter])
    return this.flush()
  }

  /** Send what waits, in order. Resolves when nothing more can be done now. */
  flush = (): Promise<void> => {
    this.busy ??= this.work().finally(() => {
      this.busy = null
      if (this.waiting.length > 0 && this.timer === undefined) void this.flush()
    })
    return this.busy
  }

  private async work(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    while (this.waiting[0]) {
      const letter = this.waiting[0]
      try {
        await this.send(letter)
      } catch (error) {
        if (isApiError(error) && (error.code === UNREACHABLE || error.status >= 500 || error.status === 429)) {
          this.timer = setTimeout(() => void this.flush(), this.pause(this.attempt++))
          return
        }
        this.refused(letter, error)
      }
      this.attempt = 0
      this.put(this.waiting.filter((one) => one !== letter))
    }
  }

  private put(waiting: Letter[]): void {
    this.waiting = waiting
    try {
      localStorage.setItem(this.key, JSON.stringify(waiting))
    } catch {
      // It is still in this page's memory.
    }
    for (const listener of this.listeners) listener()
  }
}
