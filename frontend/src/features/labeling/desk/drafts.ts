/**
 * Drafts, local first: every change is kept in this browser at once and in the studio a moment later, so that a crash of
 * either, or a closed lid, loses nothing. `number` is a clock: the newest of both is what somebody goes on with.
 */
import type { Result } from '../editor'

export type Kept = { result: Result; number: number }

const PREFIX = 'headrace.draft.'
const WEEK = 7 * 24 * 3600_000

const name = (user: string, schema: string, item: number) => `${PREFIX}${user}.${schema}.${item}`

/** Grows with every call, also when the clock is set back. */
export function stamp(after = 0): number {
  return Math.max(Date.now(), after + 1)
}

export function keepLocally(user: string, schema: string, item: number, kept: Kept): void {
  try {
    localStorage.setItem(name(user, schema, item), JSON.stringify(kept))
  } catch {
    // Full or refused: the studio's copy is there within a second.
  }
}

export function keptLocally(user: string, schema: string, item: number): Kept | null {
  try {
    const found = JSON.parse(localStorage.getItem(name(user, schema, item)) ?? 'null') as Kept | null
    return found && Array.isArray(found.result) && typeof found.number === 'number' ? found : null
  } catch {
    return null
  }
}

export function forgetLocally(user: string, schema: string, item: number): void {
  localStorage.removeItem(name(user, schema, item))
}

/** Drafts of items that nobody came back to are not kept for ever. */
export function tidy(now = Date.now()): void {
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(PREFIX)) continue
    try {
      if ((JSON.parse(localStorage.getItem(key) ?? 'null') as Kept).number > now - WEEK) continue
    } catch {
      // Not ours any more.
    }
    localStorage.removeItem(key)
  }
}

/** What to open an item with: the newest draft if it is newer than what was submitted, else that, else nothing. */
export function opening(local: Kept | null, remote: { result: Result; number: number } | null, submitted: { result: Result; at: number } | null): { result: Result; number: number } {
  const draft = local && (!remote || local.number >= remote.number) ? local : remote
  if (draft && (!submitted || draft.number > submitted.at)) return { result: draft.result, number: draft.number }
  return { result: submitted?.result ?? [], number: submitted?.at ?? 0 }
}
