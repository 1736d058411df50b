/**
 * All regions as a bitmap. While the view moves, and while only the pointer does, the bitmap is laid where they belong; they are drawn
 * again when the view rests. Where a few changed (another one is selected), only what lies there is.
 */
import type { Size } from '../geometry'
import { CROWD, paint, type Plan } from './paint'
import { repair } from './repair'
import { seenOf, type Placing } from './view'

interface Drawn {
  readonly plan: Plan
  readonly texts: boolean
  readonly placing: Placing
  readonly box: Size
  readonly ratio: number
}

/** So much more than the window is drawn on every side, as a share of it: what a pan brings into sight. */
const MARGIN = 0.3
/** A bitmap scaled further shows it. */
const SCALED = 2.5
/** So few are drawn anew faster than a bitmap is copied. */
const FEW = 60

export class Steady {
  private canvas: HTMLCanvasElement | null = null
  private drawn: Drawn | null = null

  paint(context: CanvasRenderingContext2D, wanted: { plan: Plan; texts: boolean; placing: Placing; box: Size; size: Size; moving: boolean }): void {
    const { plan, texts, placing, box, size } = wanted
    const seen = seenOf(placing, size, box)
    const crowded = plan.pictures.length > CROWD
    if (plan.pictures.length <= FEW && plan.masks.length === 0) {
      this.drawn = null
      return paint(context, plan, { scale: placing.scale, seen, texts, crowded })
    }
    const ratio = context.canvas.width / box.width
    if (!this.fits(wanted, ratio) || !this.repaired(plan, size)) {
      this.canvas ??= document.createElement('canvas')
      this.canvas.width = Math.round(box.width * ratio * (1 + 2 * MARGIN))
      this.canvas.height = Math.round(box.height * ratio * (1 + 2 * MARGIN))
      const sheet = this.canvas.getContext('2d')
      if (!sheet) return
      sheet.setTransform(placing.scale * ratio, 0, 0, placing.scale * ratio, (placing.x + box.width * MARGIN) * ratio, (placing.y + box.height * MARGIN) * ratio)
      paint(sheet, plan, { scale: placing.scale, seen, texts, crowded })
      this.drawn = { plan, texts, placing, box, ratio }
    }
    const { drawn, canvas } = this
    if (!drawn || !canvas) return
    const by = placing.scale / drawn.placing.scale
    context.save()
    context.setTransform(by, 0, 0, by, (placing.x - (drawn.placing.x + box.width * MARGIN) * by) * ratio, (placing.y - (drawn.placing.y + box.height * MARGIN) * by) * ratio)
    context.drawImage(canvas, 0, 0)
    context.restore()
  }

  /** Brings the bitmap from its plan to this one, in its own placing; false where drawing all is quicker. */
  private repaired(plan: Plan, size: Size): boolean {
    const { drawn } = this
    const sheet = this.canvas?.getContext('2d')
    if (!drawn || !sheet) return false
    if (drawn.plan === plan) return true
    const frame = { scale: drawn.placing.scale, seen: seenOf(drawn.placing, size, drawn.box), texts: drawn.texts }
    if (!repair(sheet, drawn.plan, plan, frame)) return false
    this.drawn = { ...drawn, plan }
    return true
  }

  private fits({ texts, placing, box, moving }: { texts: boolean; placing: Placing; box: Size; moving: boolean }, ratio: number): boolean {
    const { drawn } = this
    if (!drawn || drawn.texts !== texts || drawn.box !== box || drawn.ratio !== ratio) return false
    if (drawn.placing === placing) return true
    const by = placing.scale / drawn.placing.scale
    if (!moving || by > SCALED || by < 1 / SCALED) return false
    const [left, top] = [placing.x - (drawn.placing.x + box.width * MARGIN) * by, placing.y - (drawn.placing.y + box.height * MARGIN) * by]
    const whole = 1 + 2 * MARGIN
    // Smaller than the window it may leave an edge bare for a moment; moved past its margin it would leave too much.
    return by < 1 || (left <= 0 && top <= 0 && left + box.width * whole * by >= box.width && top + box.height * whole * by >= box.height)
  }
}
