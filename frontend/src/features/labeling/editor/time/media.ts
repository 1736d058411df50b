/** What plays: an audio or video element as a store of its own, because its time changes too often for the editor's. */

export const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4] as const

/** What commands can do with an object that plays. */
export interface Media {
  toggle(): void
  /** Plays the selected region once, or in a loop. */
  playSelection(): boolean
  loop(): void
  /** Moves by one small or large step; of a video by frames. */
  step(by: 1 | -1, far: boolean): void
  /** To the end or the beginning. */
  jump(to: 'start' | 'end'): void
  faster(by: 1 | -1): void
  /** Begins (-1) or ends (1) a region here. */
  mark(side: 1 | -1): void
  /** To the next or previous edge of a region, or key frame. */
  edge(by: 1 | -1): boolean
  /** Moves the start or end of the selected segment, or the selected box of a video. */
  nudge(dx: number, dy: number, sized: boolean): boolean
  /** Sets a key frame of the selected track here, or takes it away. */
  key(): boolean
  split(): boolean
  merge(): boolean
}

export interface Playing {
  /** Seconds. */
  readonly time: number
  /** Seconds; 0 until it is known. */
  readonly duration: number
  readonly playing: boolean
  readonly speed: number
  /** The part that is repeated. */
  readonly loop: boolean
  readonly failed: boolean
}

/** Kept from item to item. */
let speed = 1

export class Player {
  state: Playing = { time: 0, duration: 0, playing: false, speed, loop: false, failed: false }
  private element: HTMLMediaElement | null = null
  private readonly listeners = new Set<() => void>()
  private part: { start: number; end: number } | null = null
  private frame = 0
  private measuring = false

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  private set(change: Partial<Playing>): void {
    this.state = { ...this.state, ...change }
    for (const listener of this.listeners) listener()
  }

  /** Takes an element over; the function gives it back. */
  attach(element: HTMLMediaElement): () => void {
    this.element = element
    element.playbackRate = this.state.speed
    // Slow speech keeps its pitch.
    element.preservesPitch = true
    const on = (name: string, listener: () => void) => {
      element.addEventListener(name, listener)
      return () => element.removeEventListener(name, listener)
    }
    const off = [
      on('loadedmetadata', () => this.measure()),
      on('durationchange', () => this.measure()),
      on('play', () => this.run()),
      on('pause', () => this.set({ playing: false, time: element.currentTime })),
      on('ended', () => this.set({ playing: false, time: this.state.duration })),
      on('error', () => this.set({ failed: true })),
      on('seeked', () => {
        if (!this.measuring && element.paused && Math.abs(element.currentTime - this.state.time) > 0.2) this.set({ time: element.currentTime })
      }),
    ]
    if (element.readyState > 0) this.measure()
    return () => {
      for (const end of off) end()
      cancelAnimationFrame(this.frame)
      element.pause()
      this.element = null
    }
  }

  /** What a browser recorded itself has no length in its header: it is found by going to the end. */
  private measure(): void {
    const { element } = this
    if (!element) return
    if (Number.isFinite(element.duration) && element.duration > 0) {
      if (this.measuring) {
        this.measuring = false
        element.currentTime = 0
      }
      if (element.duration !== this.state.duration) this.set({ duration: element.duration })
    } else if (!this.measuring && element.readyState > 0) {
      this.measuring = true
      element.currentTime = 1e7
    }
  }

  private run(): void {
    this.set({ playing: true })
    cancelAnimationFrame(this.frame)
    const tick = (time: number) => {
      const { element, part } = this
      if (!element || element.paused) return
      if (part && time >= part.end - 0.004) {
        if (this.state.loop) element.currentTime = part.start
        else {
          this.part = null
          element.pause()
          this.seek(part.end)
          return
        }
      }
      this.set({ time })
      // Of a video the browser says which frame it shows.
      if (element instanceof HTMLVideoElement && 'requestVideoFrameCallback' in element) element.requestVideoFrameCallback((_now, shown) => tick(shown.mediaTime))
      else this.frame = requestAnimationFrame(() => tick(element.currentTime))
    }
    tick(this.element?.currentTime ?? 0)
  }

  toggle(): void {
    const { element } = this
    if (!element || this.measuring) return
    if (!element.paused) return element.pause()
    if (this.part && (this.state.time < this.part.start - 0.05 || this.state.time >= this.part.end)) this.part = null
    if (this.state.time >= this.state.duration - 0.02) this.seek(0)
    void element.play().catch(() => this.set({ failed: element.error !== null }))
  }

  pause(): void {
    this.element?.pause()
  }

  /** Plays a part, once or, while `loop` is on, again and again. */
  play(start: number, end: number): void {
    if (this.measuring) return
    this.part = { start, end }
    this.seek(start)
    void this.element?.play().catch(() => undefined)
  }

  seek(time: number): void {
    // On its way to the end nothing may turn it round: its length would never be known.
    if (this.measuring) return
    const to = Math.max(0, Math.min(time, this.state.duration))
    if (this.element) this.element.currentTime = to
    if (to !== this.state.time) this.set({ time: to })
  }

  setLoop(part: { start: number; end: number } | null): void {
    this.part = part ?? (this.state.loop ? null : { start: 0, end: this.state.duration })
    this.set({ loop: !this.state.loop })
    if (!this.state.loop) this.part = null
  }

  setSpeed(wanted: number): void {
    speed = wanted
    if (this.element) this.element.playbackRate = wanted
    this.set({ speed: wanted })
  }

  faster(by: 1 | -1): number {
    const at = SPEEDS.findIndex((one) => one >= this.state.speed)
    const next = SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, at + by))] ?? 1
    this.setSpeed(next)
    return next
  }
}
