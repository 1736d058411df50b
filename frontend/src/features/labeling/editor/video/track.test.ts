import { describe, expect, it } from 'vitest'
import { begun, boxAt, ended, frameAt, lifespans, merged, neighbour, split, timeOf, withKey, withoutKey, type Key, type Sequence } from './track'

const key = (frame: number, x: number, enabled = true): Key => ({ frame, enabled, rotation: 0, x, y: 10, width: 20, height: 20, time: frame / 25 })
const SEQUENCE: Sequence = [key(1, 0), key(11, 50), key(21, 50, false), key(41, 0)]
const seen = (sequence: Sequence) => Array.from({ length: 60 }, (_, at) => boxAt(sequence, at + 1)?.x ?? null)

describe('a track', () => {
  it('lies between its key frames, and nowhere after its end', () => {
    expect(boxAt(SEQUENCE, 6)).toMatchObject({ x: 25, y: 10 })
    expect([boxAt(SEQUENCE, 21)?.x, boxAt(SEQUENCE, 22), boxAt(SEQUENCE, 40), boxAt(SEQUENCE, 41)?.x, boxAt(SEQUENCE, 59)?.x]).toEqual([50, null, null, 0, 0])
    expect(lifespans(SEQUENCE, 60)).toEqual([[1, 21], [41, 60]])
  })

  it('is seen as before where a key frame is put that says the same', () => {
    for (let frame = 1; frame <= 60; frame++) {
      const box = boxAt(SEQUENCE, frame)
      if (!box) continue
      const same = seen(withKey(SEQUENCE, frame, box, 25))
      seen(SEQUENCE).forEach((x, at) => (x === null ? expect(same[at]).toBeNull() : expect(same[at]).toBeCloseTo(x, 9)))
    }
    expect(withoutKey(withKey(SEQUENCE, 15, boxAt(SEQUENCE, 15)!, 25), 15)).toEqual(SEQUENCE)
    expect(withoutKey([key(3, 1)], 3)).toEqual([key(3, 1)])
  })

  it('ends and begins where it is told', () => {
    expect(lifespans(ended(SEQUENCE, 16, 25), 60)).toEqual([[1, 16], [21, 21], [41, 60]])
    expect(ended(ended(SEQUENCE, 50, 25), 50, 25).at(-1)).toMatchObject({ frame: 50, enabled: true })
    expect(lifespans(begun(SEQUENCE, 6, 25), 60)).toEqual([[6, 21], [41, 60]])
    expect(lifespans(begun([key(10, 1)], 4, 25), 60)).toEqual([[4, 60]])
  })

  it('is split and merged without moving', () => {
    for (const frame of [2, 8, 11, 15, 21, 41, 50]) {
      const [one, two] = split(SEQUENCE, frame, 25)!
      const [a, b] = [seen(one), seen(two)]
      seen(SEQUENCE).forEach((x, at) => {
        const part = at + 1 < frame ? a[at] : b[at]
        if (x === null) expect(part).toBeNull()
        else expect(part).toBeCloseTo(x, 9)
      })
    }
    expect(split(SEQUENCE, 1, 25)).toBeNull()
    expect(merged([key(30, 1)], [key(1, 0), key(9, 0, false)])?.map((one) => one.frame)).toEqual([1, 9, 30])
    expect(merged(SEQUENCE, [key(20, 1)])).toBeNull()
  })

  it('knows its neighbours, and frames their times', () => {
    expect([neighbour([SEQUENCE], 11, 1), neighbour([SEQUENCE], 11, -1), neighbour([SEQUENCE], 41, 1)]).toEqual([21, 1, null])
    for (const fps of [23.976, 25, 29.97, 60]) for (let frame = 1; frame < 5000; frame += 7) expect(frameAt(timeOf(frame, fps), fps)).toBe(frame)
  })
})
