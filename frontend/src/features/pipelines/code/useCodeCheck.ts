/** Asks the studio what the text is, a moment after the last key, one question at a time: each starts a sandbox. */
import { useEffect, useRef, useState } from 'react'

import { checkCode, type Checked } from './queries'

const QUIET_MS = 500
const NOTHING: Checked = { component: null, problems: [] }

export interface CodeCheck extends Checked {
  /** The text that this answer is about; null before the first. */
  readonly about: string | null
  readonly error: unknown
}

export function useCodeCheck(project: string, text: string, wanted: boolean): CodeCheck {
  const [answer, setAnswer] = useState<CodeCheck>({ ...NOTHING, about: null, error: null })
  const latest = useRef(text)
  const busy = useRef(false)
  const open = useRef(true)
  useEffect(() => {
    open.current = true
    return () => {
      open.current = false
    }
  }, [])
  useEffect(() => {
    latest.current = text
    if (!wanted || text.trim() === '') return
    const ask = async () => {
      if (busy.current) return
      busy.current = true
      let about = ''
      try {
        do {
          about = latest.current
          try {
            const found = await checkCode(project, about)
            // A text with problems keeps the preview of the last one that was right.
            if (open.current) setAnswer((before) => ({ ...found, component: found.component ?? before.component, about, error: null }))
          } catch (error) {
            if (open.current) setAnswer((before) => ({ ...before, problems: [], about, error }))
          }
        } while (open.current && latest.current !== about)
      } finally {
        busy.current = false
      }
    }
    const timer = setTimeout(() => void ask(), QUIET_MS)
    return () => clearTimeout(timer)
  }, [project, text, wanted])
  return answer
}
