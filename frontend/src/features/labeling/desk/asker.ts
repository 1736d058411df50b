/**
 * Asks the model that is set for opened items, beside everything else: about the item on screen and the one made ready behind it. Nobody waits for
 * it; what comes is told to whoever listens.
 */
import { isApiError, type Schemas } from '@/api/client'

export type Suggestion = Schemas['SuggestionOut']
export type Asked = { state: 'asking' } | { state: 'there'; suggestions: readonly Suggestion[] } | { state: 'failed'; error: unknown }

/** Items that are remembered: more than anybody goes back. */
const KEPT = 50
const TRIES = 5
const TOO_MANY = 429

/** It is not the model that failed: it was switched off meanwhile, or the item is no longer this person's. */
const silent = (error: unknown) => isApiError(error) && (error.status === 403 || ['nobody_asked', 'item_removed'].includes(error.code))

export class Asker {
  private readonly found = new Map<number, Asked>()
  private readonly listeners = new Set<() => void>()
  private wanted: number[] = []
  private on = false

  constructor(
    private readonly ask: (item: number) => Promise<readonly Suggestion[]>,
    private readonly wait = (seconds: number) => new Promise<void>((done) => setTimeout(done, 1000 * seconds)),
  ) {}

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  of(item: number): Asked | undefined {
    return this.found.get(item)
  }

  /** Whether a model is to be asked at all; what was wanted before that was known is asked about now. */
  turn(on: boolean): void {
    this.on = on
    for (const item of this.wanted) this.begin(item)
  }

  /** An item is shown, or made ready. */
  want(item: number): void {
    this.wanted = [...this.wanted.filter((other) => other !== item), item].slice(-2)
    this.begin(item)
  }

  private begin(item: number): void {
    const before = this.found.get(item)?.state
    if (this.on && before !== 'asking' && before !== 'there') void this.go(item)
  }

  private async go(item: number): Promise<void> {
    this.tell(item, { state: 'asking' })
    for (let tries = 1; ; tries++) {
      try {
        return this.tell(item, { state: 'there', suggestions: await this.ask(item) })
      } catch (error) {
        const later = isApiError(error) && error.status === TOO_MANY && tries < TRIES && this.wanted.includes(item)
        if (!later) return this.tell(item, silent(error) ? undefined : { state: 'failed', error })
        await this.wait(Number(error.details.retry_after ?? 2) * tries)
      }
    }
  }

  private tell(item: number, asked: Asked | undefined): void {
    this.found.delete(item)
    if (asked) this.found.set(item, asked)
    for (const old of [...this.found.keys()].slice(0, -KEPT)) this.found.delete(old)
    for (const listener of this.listeners) listener()
  }
}
