/** A large picture: how large it is, its tiles once they are made, how far they are until then. */
import { useEffect, useMemo, useState } from 'react'

import type { Size } from '../../geometry'
import type { PyramidAt } from '../../state'
import { TileCache } from './cache'
import type { Pyramid } from './grid'

interface Told extends Pyramid {
  /** 0 to 1; 1: the tiles are there. */
  readonly progress: number
}

/** The studio waits so long for the tiles before it answers how far they are. */
const WAIT_S = 2
const PAUSE_MS = 500

export interface Deep {
  readonly size: Size | null
  readonly tiles: TileCache | null
  readonly progress: number
  readonly broken: boolean
  /** Grows when tiles arrived. */
  readonly turn: number
}

export function usePyramid(at: PyramidAt | undefined): Deep {
  const [told, setTold] = useState<{ at: string; told: Told } | null>(null)
  const [broken, setBroken] = useState('')
  const [turn, setTurn] = useState(0)
  const [asked, ask] = useState(0)
  const [tiles, setTiles] = useState<TileCache | null>(null)
  const address = at?.pyramid ?? ''
  const base = at?.tiles ?? ''

  useEffect(() => {
    if (!address) return
    const stop = new AbortController()
    const follow = async () => {
      for (;;) {
        const answer = await fetch(`${address}?wait=${WAIT_S}`, { credentials: 'same-origin', signal: stop.signal })
        if (answer.status === 422) return setBroken(address)
        if (answer.ok) {
          const found = (await answer.json()) as Told
          setTold({ at: address, told: found })
          if (found.progress === 1) return
        }
        await new Promise((go) => setTimeout(go, PAUSE_MS))
      }
    }
    follow().catch(() => {
      // Without a line it is asked again.
      if (!stop.signal.aborted) setTimeout(() => ask((before) => before + 1), 2000)
    })
    return () => stop.abort()
  }, [address, asked])

  const now = told && told.at === address ? told.told : null
  const ready = now?.progress === 1
  const [width, height, tile, levels] = [now?.width ?? 0, now?.height ?? 0, now?.tile ?? 0, now?.levels ?? 0]

  useEffect(() => {
    if (!ready) return
    let frame = 0
    const arrived = () => (frame ||= requestAnimationFrame(() => ((frame = 0), setTurn((before) => before + 1))))
    const cache = new TileCache({ width, height, tile, levels }, base, arrived, () => ask((before) => before + 1))
    setTiles(cache)
    return () => {
      cancelAnimationFrame(frame)
      cache.close()
      setTiles(null)
    }
  }, [ready, base, width, height, tile, levels])

  const size = useMemo(() => (width > 0 ? { width, height } : null), [width, height])
  return { size, tiles, progress: now?.progress ?? 0, broken: broken !== '' && broken === address, turn }
}
