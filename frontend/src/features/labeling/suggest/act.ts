/** Something that is asked of the studio: one at a time, what speaks against it is kept, and what it changed is fetched anew. */
import { useState } from 'react'

export function useAct(after: () => Promise<unknown>) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const act = async (ask: () => Promise<unknown>) => {
    setBusy(true)
    setError(null)
    try {
      await ask()
      await after()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return { busy, error, act }
}
