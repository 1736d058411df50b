import { describe, expect, it, vi } from 'vitest'
import { ApiError } from '@/api/client'
import { EditorStore } from '../editor/store'
import { Asker, type Suggestion } from './asker'

const said = (id: number): Suggestion[] => [{ id, model_version: 'flowers@1', score: 0.9, result: [] }]
const refused = (status: number, code: string, details = {}) => new ApiError(status, { code, message: code, details })
const settled = () => new Promise((done) => setTimeout(done))

describe('a model that is asked when an item is opened', () => {
  it('is asked about what was shown before the setting was known, once for each item, and only while it is wanted', async () => {
    const ask = vi.fn((item: number) => Promise.resolve(said(item)))
    const asker = new Asker(ask)
    for (const item of [1, 2, 3]) asker.want(item)
    expect(ask).not.toHaveBeenCalled()
    asker.turn(true)
    expect(asker.of(3)).toEqual({ state: 'asking' })
    await settled()
    asker.want(3)
    expect(ask.mock.calls).toEqual([[2], [3]])
    expect(asker.of(3)).toEqual({ state: 'there', suggestions: said(3) })
    asker.turn(false)
    asker.want(4)
    expect(ask).toHaveBeenCalledTimes(2)
  })

  it('is asked again when there were too many, tells what failed, and keeps still about what nobody can help', async () => {
    const answers = [refused(429, 'too_many_requests', { retry_after: 2 }), refused(503, 'predictor_away')]
    const wait = vi.fn(() => Promise.resolve())
    const asker = new Asker(() => Promise.reject(answers.shift() ?? refused(409, 'nobody_asked')), wait)
    asker.turn(true)
    asker.want(1)
    await settled()
    expect(wait).toHaveBeenCalledExactlyOnceWith(2)
    expect(asker.of(1)).toMatchObject({ state: 'failed', error: { code: 'predictor_away' } })
    asker.want(1)
    await settled()
    expect(asker.of(1)).toBeUndefined()
  })
})

describe('an editor in which nothing is begun', () => {
  const config = { objects: [], controls: [], layout: [] }
  const item = { data: {}, urls: {} }

  it('is one without a result, a step, or something half drawn', () => {
    const editor = new EditorStore({ config, item, result: [] })
    expect(editor.begun).toBe(false)
    editor.views.set('image', { busy: () => true })
    expect(editor.begun).toBe(true)
    editor.views.clear()
    editor.apply([{ type: 'relation', from_id: 'a', to_id: 'b', direction: 'right' }], 'Related')
    expect(editor.begun).toBe(true)
    editor.undo()
    expect(editor.state.result).toEqual([])
    expect(editor.begun).toBe(true)
  })
})
