/**
 * Keys → commands. One listener for all: `mod+K` (Ctrl, or Command on a Mac), single keys, and two keys one after the
 * other (`g d`). Plain keys are left alone while someone types, inside dialogs, menus and widgets that use keys themselves.
 */
import type { Command } from '@/ui/commands'

const SEQUENCE_MS = 900

export const isMac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent)

export function parseChord(chord: string): { key: string; mod: boolean; shift: boolean; alt: boolean } {
  const parts = chord.split('+')
  const key = parts.pop() || '+'
  return { key: key.toLowerCase(), mod: parts.includes('mod'), shift: parts.includes('shift'), alt: parts.includes('alt') }
}

export function matches(chord: string, event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>): boolean {
  const wanted = parseChord(chord)
  // A sign like ? needs Shift on some keyboards and not on others: only letters insist on it.
  const sign = wanted.key.length === 1 && !/[a-z0-9]/.test(wanted.key)
  return (
    event.key.toLowerCase() === wanted.key &&
    (event.ctrlKey || event.metaKey) === wanted.mod &&
    event.altKey === wanted.alt &&
    (sign || event.shiftKey === wanted.shift)
  )
}

/** As shown on screen: `mod+K` → `Ctrl K` or `⌘ K`; `g d` → `G then D`. */
export function spoken(shortcut: string, mac: boolean = isMac): string {
  const chord = (c: string) =>
    c
      .split('+')
      .map((part) => (part === 'mod' ? (mac ? '⌘' : 'Ctrl') : part === 'shift' ? (mac ? '⇧' : 'Shift') : part === 'alt' ? (mac ? '⌥' : 'Alt') : part.length === 1 ? part.toUpperCase() : part))
      .join(' ')
  return shortcut.split(' ').map(chord).join(' then ')
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function ownKeys(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('[role="dialog"],[role="menu"],[data-own-keys]') !== null
}

/** Gives the handler for keydown; `commands` is asked at each press. */
export function makeKeyHandler(commands: () => Command[], now: () => number = Date.now) {
  let pending: { first: string; at: number } | null = null
  return (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return
    const mod = event.ctrlKey || event.metaKey
    if (!mod && (typing(event.target) || ownKeys(event.target))) return
    const usable = commands().filter((c) => c.shortcut && !c.disabled && !c.boundByPage)
    const before = pending && now() - pending.at < SEQUENCE_MS ? pending.first : null
    pending = null
    const found = usable.find((c) => {
      const [first, second] = c.shortcut!.split(' ')
      return second ? before === first && matches(second, event) : before === null && matches(first!, event)
    })
    if (found) {
      // Typing inside a dialog must not run what belongs to the page below it; the palette's own key is the exception.
      if (ownKeys(event.target) && found.id !== 'palette') return
      event.preventDefault()
      found.run()
      return
    }
    if (!mod && !event.altKey && usable.some((c) => c.shortcut!.startsWith(`${event.key.toLowerCase()} `))) pending = { first: event.key.toLowerCase(), at: now() }
  }
}
