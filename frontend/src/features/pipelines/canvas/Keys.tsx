import { Kbd } from '@mantine/core'

const MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform)
const WORDS: Record<string, string> = { mod: MAC ? '⌘' : 'Ctrl', shift: MAC ? '⇧' : 'Shift', alt: MAC ? '⌥' : 'Alt', arrowleft: '←', arrowright: '→', arrowup: '↑', arrowdown: '↓', escape: 'Esc', delete: 'Del' }

/** A shortcut as people know it: Ctrl+Shift+Z, or ⌘⇧Z. */
export function Keys({ keys }: { keys: string | undefined }) {
  if (!keys) return null
  const parts = keys.split('+').filter(Boolean)
  if (parts.length === 0) parts.push('+')
  return <Kbd size="xs">{parts.map((part) => WORDS[part.toLowerCase()] ?? part).join(MAC ? '' : '+')}</Kbd>
}
