import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/client'
import { forgetLocally, keepLocally, keptLocally, opening, stamp, tidy } from './drafts'
import { Outbox, type Letter } from './outbox'

const letter = (id: string): Letter => ({ id, project: 'p', schema: 's', item: 1, body: {} })
const away = () => new ApiError(0, { code: 'unreachable', message: 'away' })

beforeEach(() => localStorage.clear())

describe('the outbox', () => {
  it('sends in order and forgets what was taken', async () => {
    const sent: string[] = []
    const box = new Outbox('u', (one) => Promise.resolve(sent.push(one.id)))
    await Promise.all([box.add(letter('a')), box.add(letter('b'))])
    await vi.waitFor(() => expect(sent).toEqual(['a', 'b']))
    expect(box.size).toBe(0)
    expect(localStorage.getItem('headrace.outbox.u')).toBe('[]')
  })

  it('keeps what cannot be sent, over a closed page, until the studio answers', async () => {
    await new Outbox('u', () => Promise.reject(away()), () => 60_000).add(letter('a'))
    const sent: string[] = []
    const again = new Outbox('u', (one) => Promise.resolve(sent.push(one.id)))
    expect(again.size).toBe(1)
    await again.flush()
    expect(sent).toEqual(['a'])
  })

  it('tells what the studio refused and goes on with the next', async () => {
    const refused = vi.fn()
    const box = new Outbox('u', (one) => (one.id === 'a' ? Promise.reject(new ApiError(409, { code: 'item_full', message: 'full' })) : Promise.resolve()))
    box.refused = refused
    void box.add(letter('a'))
    await box.add(letter('b'))
    await vi.waitFor(() => expect(box.size).toBe(0))
    expect(refused).toHaveBeenCalledOnce()
  })
})

describe('drafts', () => {
  it('open with the newest of this browser and the studio, and with what was submitted when that is newer', () => {
    const [a, b, c] = [[{ id: 'a' }], [{ id: 'b' }], [{ id: 'c' }]] as never[]
    expect(opening({ result: a!, number: 5 }, { result: b!, number: 4 }, null).result).toBe(a)
    expect(opening({ result: a!, number: 3 }, { result: b!, number: 4 }, null).result).toBe(b)
    expect(opening({ result: a!, number: 3 }, null, { result: c!, at: 9 }).result).toBe(c)
    expect(opening(null, null, null).result).toEqual([])
  })

  it('are kept for each person and item, and not for ever', () => {
    keepLocally('u', 's', 1, { result: [], number: stamp() })
    keepLocally('u', 's', 2, { result: [], number: 5 })
    tidy()
    expect(keptLocally('u', 's', 1)).not.toBeNull()
    expect(keptLocally('u', 's', 2)).toBeNull()
    forgetLocally('u', 's', 1)
    expect(keptLocally('u', 's', 1)).toBeNull()
    expect(stamp(Number.MAX_SAFE_INTEGER - 1)).toBe(Number.MAX_SAFE_INTEGER)
  })
})
