import { Kbd } from '@mantine/core'

import classes from './panel.module.css'

const MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform)
const WORDS: Record<string, string> = { ctrl: MAC ? '⌘' : 'Ctrl', mod: MAC ? '⌘' : 'Ctrl', shift: MAC ? '⇧' : 'Shift', alt: MAC ? '⌥' : 'Alt', arrowleft: '←', arrowright: '→', arrowup: '↑', arrowdown: '↓', escape: 'Esc', delete: 'Del', ' ': 'Space' }

export function spoken(keys: string): string {
  const parts = keys.split('+').filter(Boolean)
  if (keys.endsWith('+')) parts.push('+')
  return parts.map((part) => WORDS[part.toLowerCase()] ?? (part.length === 1 ? part.toUpperCase() : part)).join(MAC ? '' : '+')
}

/** As `aria-keyshortcuts` wants it: Control+Z. */
export function ariaKeys(keys: string): string {
  const names: Record<string, string> = { ctrl: 'Control', shift: 'Shift', alt: 'Alt' }
  return keys.split('+').map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join('+')
}

/** A key as it stands on the board: 1, Q, Ctrl+Z. Nothing without a key. */
export function KeyCap({ keys }: { keys: string | undefined }) {
  return keys ? (
    <Kbd size="xs" className={classes.key} aria-hidden>
      {spoken(keys)}
    </Kbd>
  ) : null
}
