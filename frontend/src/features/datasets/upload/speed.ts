/** Bytes a second over the last moments, and what that means for the rest. */
export class Speedometer {
  private points: { at: number; bytes: number }[] = []

  constructor(private readonly windowMs = 6000) {}

  add(bytes: number, at: number): void {
    this.points.push({ at, bytes })
    while (this.points.length > 2 && at - this.points[0]!.at > this.windowMs) this.points.shift()
  }

  /** Null until there is enough to say something. */
  get bytesPerSecond(): number | null {
    const first = this.points[0]
    const last = this.points.at(-1)
    if (!first || !last || last.at - first.at < 400) return null
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at))
  }

  secondsLeft(remaining: number): number | null {
    const speed = this.bytesPerSecond
    return speed ? remaining / speed : null
  }
}
