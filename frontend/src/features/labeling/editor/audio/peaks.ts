/**
 * The waveform of a sound: the lowest and highest sample of each hundredth of a second, made piece by piece so that an hour
 * neither fills the memory nor stops the page. WAV is read as it is, in ranges; MP3 is cut at its frames and each piece is
 * decoded by the browser, which does that beside the page. Other kinds can only be decoded whole, up to WHOLE seconds.
 */

export const PER_SECOND = 100
/** Decoded, a stereo sound of this many seconds takes half a gigabyte for a moment. */
export const WHOLE = 20 * 60
const RANGE = 4 * 1024 * 1024
const MP3_PIECE = 1024 * 1024
/** Values looked at before the page may draw again. */
const TURN = 400_000

export interface Peaks {
  /** Bins of 1 / PER_SECOND seconds, −1 to 1. */
  readonly low: Float32Array
  readonly high: Float32Array
  /** Bins that are there. */
  done: number
  /** Why there is no more. */
  problem: string
}

const pause = () => new Promise<void>((done) => setTimeout(done, 0))

export function emptyPeaks(duration: number): Peaks {
  const bins = Math.max(1, Math.ceil(duration * PER_SECOND) + 1)
  return { low: new Float32Array(bins), high: new Float32Array(bins), done: 0, problem: '' }
}

/** Takes samples of one moment on; `from` is the place of the first among all samples of the sound. */
export function take(peaks: Peaks, samples: ArrayLike<number>, from: number, rate: number): void {
  const { low, high } = peaks
  for (let at = 0; at < samples.length; at++) {
    const bin = Math.min(low.length - 1, Math.floor(((from + at) * PER_SECOND) / rate))
    const value = samples[at]!
    if (value < low[bin]!) low[bin] = value
    if (value > high[bin]!) high[bin] = value
  }
  peaks.done = Math.max(peaks.done, Math.min(low.length, Math.ceil(((from + samples.length) * PER_SECOND) / rate)))
}

interface Wav {
  readonly begin: number
  readonly length: number
  readonly rate: number
  readonly channels: number
  readonly bits: number
  readonly float: boolean
}

/** Where the samples of a WAV file lie and how they are written; null where only the browser can tell. */
export function wavHeader(head: DataView, size: number): Wav | null {
  const name = (at: number) => String.fromCharCode(head.getUint8(at), head.getUint8(at + 1), head.getUint8(at + 2), head.getUint8(at + 3))
  if (head.byteLength < 44 || name(0) !== 'RIFF' || name(8) !== 'WAVE') return null
  let [at, code, channels, rate, bits] = [12, 0, 0, 0, 0]
  while (at + 8 <= head.byteLength) {
    const length = head.getUint32(at + 4, true)
    if (name(at) === 'fmt ' && at + 24 <= head.byteLength) {
      ;[code, channels, rate, bits] = [head.getUint16(at + 8, true), head.getUint16(at + 10, true), head.getUint32(at + 12, true), head.getUint16(at + 22, true)]
      if (code === 0xfffe && at + 34 <= head.byteLength) code = head.getUint16(at + 32, true)
    }
    if (name(at) === 'data') {
      const fits = (code === 1 && [8, 16, 24, 32].includes(bits)) || (code === 3 && bits === 32)
      return fits && channels > 0 ? { begin: at + 8, length: Math.min(length, size - at - 8), rate, channels, bits, float: code === 3 } : null
    }
    at += 8 + length + (length % 2)
  }
  return null
}

/** The first channel of a piece of WAV. */
export function wavSamples(data: DataView, wav: Wav): Float32Array {
  const wide = wav.bits / 8
  const step = wide * wav.channels
  const found = new Float32Array(Math.floor(data.byteLength / step))
  for (let at = 0; at < found.length; at++) {
    const place = at * step
    if (wav.float) found[at] = data.getFloat32(place, true)
    else if (wide === 2) found[at] = data.getInt16(place, true) / 32768
    else if (wide === 1) found[at] = (data.getUint8(place) - 128) / 128
    else if (wide === 3) found[at] = (data.getInt8(place + 2) * 65536 + data.getUint16(place, true)) / 8388608
    else found[at] = data.getInt32(place, true) / 2147483648
  }
  return found
}

const KBITS = { 3: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320], 2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160] }
const RATES: Record<number, readonly number[]> = { 3: [44100, 48000, 32000], 2: [22050, 24000, 16000], 0: [11025, 12000, 8000] }

/** Length in bytes, samples and rate of the MP3 frame at a place; null where none begins. */
export function mp3Frame(data: Uint8Array, at: number): { length: number; samples: number; rate: number } | null {
  if (at + 4 > data.length || data[at] !== 0xff || (data[at + 1]! & 0xe0) !== 0xe0 || ((data[at + 1]! >> 1) & 3) !== 1) return null
  const version = (data[at + 1]! >> 3) & 3
  const rate = RATES[version]?.[(data[at + 2]! >> 2) & 3]
  const kbits = KBITS[version === 3 ? 3 : 2][data[at + 2]! >> 4]
  if (!rate || !kbits) return null
  const samples = version === 3 ? 1152 : 576
  return { length: Math.floor(((samples / 8) * kbits * 1000) / rate) + ((data[at + 2]! >> 1) & 1), samples, rate }
}

/** Makes the peaks of a sound; `told` is called as they grow. Rejects only when it is given up. */
export async function loadPeaks(url: string, duration: number, signal: AbortSignal, told: (peaks: Peaks) => void): Promise<void> {
  const peaks = emptyPeaks(duration)
  try {
    const head = await fetch(url, { credentials: 'same-origin', signal, headers: { Range: 'bytes=0-65535' } })
    const mediaType = head.headers.get('Content-Type') ?? ''
    if (mediaType.endsWith('wav') && (await fromWav(url, head, peaks, signal, told))) return told(peaks)
    if (duration > WHOLE && mediaType !== 'audio/mpeg') throw new Error('It is longer than 20 minutes and neither WAV nor MP3.')
    const data = new Uint8Array(await (await fetch(url, { credentials: 'same-origin', signal })).arrayBuffer())
    if (mediaType === 'audio/mpeg') await fromMp3(data, peaks, signal, told)
    else await decoded(data, peaks, 0, signal)
    peaks.done = peaks.low.length
  } catch (error) {
    if (signal.aborted) throw error
    peaks.problem = error instanceof Error && !(error instanceof DOMException) ? error.message : 'The browser cannot decode it.'
  }
  told(peaks)
}

async function fromWav(url: string, head: Response, peaks: Peaks, signal: AbortSignal, told: (peaks: Peaks) => void): Promise<boolean> {
  const first = new DataView(await head.arrayBuffer())
  const part = head.status === 206
  const wav = wavHeader(first, part ? Number(head.headers.get('Content-Range')?.split('/')[1] ?? 0) : first.byteLength)
  if (!wav) return false
  const range = async (from: number, to: number) => new DataView(await (await fetch(url, { credentials: 'same-origin', signal, headers: { Range: `bytes=${from}-${to}` } })).arrayBuffer())
  const step = (wav.bits / 8) * wav.channels
  const piece = Math.max(step, Math.floor(RANGE / step) * step)
  for (let at = 0; at < wav.length; at += piece) {
    const length = Math.min(piece, wav.length - at)
    const data = part ? await range(wav.begin + at, wav.begin + at + length - 1) : new DataView(first.buffer, wav.begin + at, length)
    const samples = wavSamples(data, wav)
    for (let from = 0; from < samples.length; from += TURN) {
      take(peaks, samples.subarray(from, from + TURN), at / step + from, wav.rate)
      await pause()
    }
    told(peaks)
  }
  return true
}

async function fromMp3(data: Uint8Array, peaks: Peaks, signal: AbortSignal, told: (peaks: Peaks) => void): Promise<void> {
  let at = 0
  if (data[0] === 0x49 && data[1] === 0x44 && data[2] === 0x33) at = 10 + ((data[6]! << 21) | (data[7]! << 14) | (data[8]! << 7) | data[9]!)
  while (at < data.length && !mp3Frame(data, at)) at++
  let seconds = 0
  while (at < data.length) {
    const begin = at
    const from = seconds
    for (let frame = mp3Frame(data, at); frame && at - begin < MP3_PIECE; frame = mp3Frame(data, at)) {
      at += frame.length
      seconds += frame.samples / frame.rate
    }
    if (at === begin) break
    await decoded(data.slice(begin, at), peaks, from, signal)
    told(peaks)
  }
}

/** Lets the browser decode a piece, at a low rate: a waveform needs no more. */
async function decoded(data: Uint8Array, peaks: Peaks, from: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const context = new OfflineAudioContext(1, 1, 8000)
  const sound = await context.decodeAudioData(data.buffer as ArrayBuffer)
  const samples = sound.getChannelData(0)
  for (let at = 0; at < samples.length; at += TURN) {
    signal.throwIfAborted()
    take(peaks, samples.subarray(at, at + TURN), Math.round(from * sound.sampleRate) + at, sound.sampleRate)
    await pause()
  }
}
