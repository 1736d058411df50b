/**
 * User commands: one object says label, icon, shortcut, when it may be used and what it does; the palette (Ctrl+K),
 * menus and the keyboard all read it. A page registers its own while it is mounted:
 *
 *     useCommands(() => [{ id: 'run.cancel', label: 'Cancel this run', group: 'Run', run: cancel }], [cancel])
 */
import type { Icon } from '@tabler/icons-react'
import { useEffect, useSyncExternalStore, type DependencyList } from 'react'

export type Command = {
  id: string
  label: string
  group: string
  description?: string
  icon?: Icon
  /** Mantine's notation: `mod+Enter`, `g d` for one key after the other. Shown in the help; bound by the shell. */
  shortcut?: string
  keywords?: string[]
  disabled?: boolean
  /** Not in the palette, only in the shortcuts' help. */
  hidden?: boolean
  /** The page listens for its keys itself (they mean something only on its canvas); the shell only shows them. */
  boundByPage?: boolean
  run: () => void
}

let registered: { key: object; commands: Command[] }[] = []
let flat: Command[] = []
const listeners = new Set<() => void>()

function publish() {
  const seen = new Set<string>()
  // The newest registration of an id wins: a page may replace what the shell offers.
  flat = [...registered]
    .reverse()
    .flatMap((r) => r.commands)
    .filter((c) => !seen.has(c.id) && seen.add(c.id))
  for (const listener of listeners) listener()
}

export function registerCommands(commands: Command[]): () => void {
  const key = {}
  registered = [...registered, { key, commands }]
  publish()
  return () => {
    registered = registered.filter((r) => r.key !== key)
    publish()
  }
}

export function useCommands(make: () => Command[], deps: DependencyList): void {
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the caller names what the commands depend on
  useEffect(() => registerCommands(make()), deps)
}

/** All commands of the moment, newest registration first. */
export function useAllCommands(): Command[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => flat,
  )
}
