import { describe, expect, it } from 'vitest'
import { emptyPeaks, mp3Frame, PER_SECOND, take, wavHeader, wavSamples } from './peaks'

function wav(samples: readonly number[], channels = 1, rate = 8000): DataView {
  const data = new DataView(new ArrayBuffer(44 + samples.length * 2 * channels))
  const write = (at: number, text: string) => [...text].forEach((letter, n) => data.setUint8(at + n, letter.charCodeAt(0)))
  write(0, 'RIFF')
  write(8, 'WAVEfmt ')
  data.setUint32(16, 16, true)
  data.setUint16(20, 1, true)
  data.setUint16(22, channels, true)
  data.setUint32(24, rate, true)
  data.setUint16(34, 16, true)
  write(36, 'data')
  data.setUint32(40, samples.length * 2 * channels, true)
  samples.forEach((sample, n) => Array.from({ length: channels }, (_, channel) => data.setInt16(44 + (n * channels + channel) * 2, Math.round(sample * 32767), true)))
  return data
}

describe('peaks', () => {
  it('are those of the samples, however these are cut into pieces', () => {
    const samples = Array.from({ length: 8000 }, (_, n) => Math.sin(n / 7) * (n / 8000))
    const whole = emptyPeaks(1)
    take(whole, samples, 0, 8000)
    const pieces = emptyPeaks(1)
    for (let at = 0; at < samples.length; at += 333) take(pieces, samples.slice(at, at + 333), at, 8000)
    expect([...pieces.high]).toEqual([...whole.high])
    expect(whole.done).toBe(PER_SECOND)
    expect(Math.max(...whole.high.subarray(90, 100))).toBeGreaterThan(0.85)
    expect(Math.max(...whole.high.subarray(0, 10))).toBeLessThan(0.12)
  })

  it('are read from WAV as it is written', () => {
    for (const channels of [1, 2]) {
      const data = wav([0, 0.5, -0.5, 1], channels)
      const header = wavHeader(data, data.byteLength)!
      expect(header).toMatchObject({ begin: 44, channels, rate: 8000, bits: 16 })
      const found = wavSamples(new DataView(data.buffer, header.begin, header.length), header)
      expect([...found].map((value) => Math.round(value * 100) / 100)).toEqual([0, 0.5, -0.5, 1])
    }
    expect(wavHeader(new DataView(new ArrayBuffer(100)), 100)).toBeNull()
  })

  it('find the frames of an MP3', () => {
    expect(mp3Frame(new Uint8Array([0xff, 0xfb, 0x90, 0]), 0)).toEqual({ length: 417, samples: 1152, rate: 44100 })
    expect(mp3Frame(new Uint8Array([0xff, 0xfb, 0xf0, 0]), 0)).toBeNull()
  })
})
