/** The shared draft of the item on screen, where its schema has people work together. */
import { useEffect, useState, useSyncExternalStore } from 'react'

import type { EditorStore } from '../editor'
import { TogetherSession, type Subject, type TogetherState } from './session'

const NONE: TogetherState = { ready: false, save: 'kept', refused: false, peers: [], submitted: null }
const never = () => () => undefined

export type Together = { session: TogetherSession | null; state: TogetherState }

/** `subject` is read when `key` changes; null where everybody works alone. */
export function useTogether(key: string, subject: Subject | null): Together {
  const [held, setHeld] = useState<{ key: string; session: TogetherSession } | null>(null)
  useEffect(() => {
    if (!subject) return
    const made = new TogetherSession(subject)
    setHeld({ key, session: made })
    return () => {
      setHeld(null)
      made.destroy()
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another item only: what was begun is taken over once
  }, [key])
  const session = held?.key === key ? held.session : null
  const state = useSyncExternalStore(session?.subscribe ?? never, session?.getState ?? (() => NONE))
  return { session, state }
}

export function useAttached(editor: EditorStore, session: TogetherSession | null): void {
  useEffect(() => session?.attach(editor), [editor, session])
}
