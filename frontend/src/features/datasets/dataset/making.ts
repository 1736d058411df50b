import { useCallback, useRef, useState } from 'react'
import type { Schemas } from '@/api/client'

type Making = Schemas['MakingOut']
const PAUSE = 400

function isMaking(answer: object): answer is Making {
  return 'progress' in answer
}

/**
 * A large search, filter or sort is made while we ask: the studio answers how far it is, and goes on only as long as somebody asks.
 * `made(ask, signal)` asks until the window is there; `progress` is from 0 to 1, null when nothing is being made. Aborting the signal
 * (another sort, another page) is how one cancels.
 */
export function useMaking() {
  const [progress, setProgress] = useState<number | null>(null)
  // Several windows of one view are asked for at once: what is told belongs to the last one that began, and ends with the last that waits.
  const waiting = useRef(0)
  const made = useCallback(async <T extends object>(ask: () => Promise<T | Making>, signal: AbortSignal): Promise<T> => {
    let told = false
    try {
      for (;;) {
        const answer = await ask()
        if (!isMaking(answer)) return answer
        signal.throwIfAborted()
        if (!told) {
          told = true
          waiting.current += 1
        }
        setProgress(answer.progress)
        await pause(signal)
      }
    } finally {
      if (told && (waiting.current -= 1) === 0) setProgress(null)
    }
  }, [])
  return { progress, made }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PAUSE)
    signal.addEventListener('abort', () => (clearTimeout(timer), reject(signal.reason as Error)), { once: true })
  })
}
