/**
 * Draws all regions that are not being edited in one go: upright boxes as such (what a browser draws fastest), of other
 * outlines one path a colour, each stroked twice. Which region is at a point is asked of the geometry, not of the drawing.
 */
import { area, hull, isOpen, meet, outline, type Point, type Rect, type Shape } from '../geometry'
import type { Mask } from '../mask/mask'
import { paintMasks, type Tint } from '../mask/sheet'

export interface Picture {
  readonly id: string
  readonly shape: Shape
  readonly box: Rect
  /** Its highest point: where its text stands. */
  readonly peak: Point
  readonly color: string
  readonly title: string
  readonly dashed: boolean
  /** A suggestion that is not part of the result. */
  readonly ghost: boolean
  readonly chosen: boolean
  readonly fill: number
  readonly width: number
}

export interface Arrow {
  readonly from: Point
  readonly to: Point
  readonly direction: 'left' | 'right' | 'bi'
  readonly strong: boolean
}

/** A line of a skeleton. */
export interface Bone {
  readonly from: Point
  readonly to: Point
  readonly color: string
}

export interface Plan {
  readonly pictures: readonly Picture[]
  readonly without: string | undefined
  readonly arrows: readonly Arrow[]
  readonly groups: readonly Group[]
  readonly bones: readonly Bone[]
  readonly masks: readonly { readonly mask: Mask; readonly tint: Tint }[]
}

/** Shapes that look the same. */
interface Group {
  readonly look: string
  readonly boxes: Rect[]
  readonly path: Path2D
  readonly color: string
  readonly dashed: boolean
  readonly ghost: boolean
  readonly chosen: boolean
  readonly fill: number
  readonly width: number
}

export function pictureOf(shape: Shape, look: Omit<Picture, 'shape' | 'box' | 'peak'>): Picture {
  if (shape.kind === 'brush') return { ...look, shape, box: shape.mask.bounds, peak: peakOf(shape.mask) }
  const peak = outline(shape).reduce((best, point) => (point.y < best.y || (point.y === best.y && point.x < best.x) ? point : best), { x: Infinity, y: Infinity })
  return { ...look, shape, box: hull(shape), peak }
}

function peakOf({ edges, width, bounds }: Mask): Point {
  return edges.length > 0 ? { x: edges[0]! % width, y: bounds.y } : bounds
}

/** The size on screen, in pixels, of a key point's mark. */
export const POINT_RADIUS = 6

function add({ boxes, path }: Group, shape: Shape): void {
  if (shape.kind === 'keypoint' || shape.kind === 'brush') return
  if (shape.kind === 'rectangle' && shape.rotation === 0) {
    boxes.push(shape)
    return
  }
  if (shape.kind === 'ellipse') {
    path.moveTo(shape.x + shape.radiusX * Math.cos((shape.rotation * Math.PI) / 180), shape.y + shape.radiusX * Math.sin((shape.rotation * Math.PI) / 180))
    path.ellipse(shape.x, shape.y, shape.radiusX, shape.radiusY, (shape.rotation * Math.PI) / 180, 0, 2 * Math.PI)
    return
  }
  outline(shape).forEach((corner, index) => (index === 0 ? path.moveTo(corner.x, corner.y) : path.lineTo(corner.x, corner.y)))
  if (!isOpen(shape)) path.closePath()
}

/** Made when regions change, used for every frame until they change again. Of `without` only the text is drawn here. */
export function planOf(pictures: readonly Picture[], arrows: readonly Arrow[], bones: readonly Bone[], without?: string): Plan {
  const groups = new Map<string, Group>()
  for (const picture of pictures) {
    if (picture.id === without) continue
    if (picture.shape.kind === 'brush') continue
    const { color, dashed, ghost, chosen, fill, width } = picture
    const key = [color, dashed, ghost, chosen, fill, width].join()
    let group = groups.get(key)
    if (!group) groups.set(key, (group = { look: key, boxes: [], path: new Path2D(), color, dashed, ghost, chosen, fill, width }))
    add(group, picture.shape)
  }
  const masks = pictures.flatMap((picture) => (picture.shape.kind === 'brush' && picture.id !== without ? { mask: picture.shape.mask, tint: tintOf(picture) } : []))
  return { pictures, without, arrows, bones, groups: [...groups.values()].sort(inOrder), masks }
}

/** Suggestions lie below, what is selected above; which look lies above which depends on nothing else, or it would change with the selection. */
function inOrder(a: Group, b: Group): number {
  return Number(b.ghost) - Number(a.ghost) || Number(a.chosen) - Number(b.chosen) || (a.look < b.look ? -1 : 1)
}

export function tintOf({ color, fill, chosen, ghost }: Picture): Tint {
  return { color, alpha: Math.min(0.85, ghost ? fill / 2 : chosen ? fill + 0.1 : fill), ...(chosen || ghost ? { edge: against(color) } : {}) }
}

const contrasts = new Map<string, '#000000' | '#ffffff'>()

/** Black or white: whichever is seen better beside the colour. */
export function against(color: string): '#000000' | '#ffffff' {
  const known = contrasts.get(color)
  if (known) return known
  const found = luminance(color) > 0.18 ? '#000000' : '#ffffff'
  contrasts.set(color, found)
  return found
}

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

export function withAlpha(color: string, alpha: number): string {
  return `${color}${Math.round(Math.min(1, Math.max(0, alpha)) * 255)
    .toString(16)
    .padStart(2, '0')}`
}

export interface Frame {
  readonly scale: number
  /** What is seen, in pixels of the image. */
  readonly seen: Rect
  readonly texts: boolean
  /** Among very many, a text wider than its shape hides more than it tells. */
  readonly crowded?: boolean
}

/** So many pictures are a crowd. */
export const CROWD = 200

export function paint(context: CanvasRenderingContext2D, plan: Plan, frame: Frame): void {
  const px = 1 / frame.scale
  context.lineJoin = 'round'
  paintMasks(context, plan.masks)
  for (const group of plan.groups) {
    const width = (group.width + (group.chosen ? 1 : 0)) * px
    if (group.fill > 0) {
      context.fillStyle = withAlpha(group.color, group.chosen ? group.fill + 0.15 : group.fill)
      context.fill(group.path)
      for (const box of group.boxes) context.fillRect(box.x, box.y, box.width, box.height)
    }
    context.globalAlpha = group.ghost ? 0.75 : 1
    context.setLineDash([])
    context.strokeStyle = withAlpha(against(group.color), group.dashed ? 0.45 : 0.7)
    context.lineWidth = width + 2 * px
    stroke(context, group)
    if (group.dashed) context.setLineDash([7 * px, 5 * px])
    context.strokeStyle = group.color
    context.lineWidth = width
    stroke(context, group)
    context.globalAlpha = 1
  }
  context.setLineDash([])
  for (const bone of plan.bones) {
    context.beginPath()
    context.moveTo(bone.from.x, bone.from.y)
    context.lineTo(bone.to.x, bone.to.y)
    context.strokeStyle = withAlpha(against(bone.color), 0.7)
    context.lineWidth = 4.5 * px
    context.stroke()
    context.strokeStyle = bone.color
    context.lineWidth = 2.5 * px
    context.stroke()
  }
  for (const picture of plan.pictures) if (picture.shape.kind === 'keypoint' && picture.id !== plan.without) paintPoint(context, picture.shape, picture.color, px, picture.chosen, picture.dashed)
  for (const arrow of plan.arrows) paintArrow(context, arrow, px)
  if (frame.texts) paintTexts(context, plan.pictures, frame)
}

function stroke(context: CanvasRenderingContext2D, { path, boxes }: Group): void {
  context.stroke(path)
  for (const box of boxes) context.strokeRect(box.x, box.y, box.width, box.height)
}

export function paintPoint(context: CanvasRenderingContext2D, at: Point, color: string, px: number, chosen: boolean, dashed = false): void {
  const radius = (chosen ? POINT_RADIUS + 2 : POINT_RADIUS) * px
  context.beginPath()
  context.arc(at.x, at.y, radius, 0, 2 * Math.PI)
  context.fillStyle = withAlpha(color, dashed ? 0.35 : 0.85)
  context.fill()
  context.strokeStyle = against(color)
  context.lineWidth = 3.5 * px
  context.stroke()
  context.strokeStyle = dashed ? color : against(against(color))
  context.lineWidth = 1.5 * px
  context.stroke()
}

function paintArrow(context: CanvasRenderingContext2D, arrow: Arrow, px: number): void {
  const angle = Math.atan2(arrow.to.y - arrow.from.y, arrow.to.x - arrow.from.x)
  const length = Math.hypot(arrow.to.x - arrow.from.x, arrow.to.y - arrow.from.y)
  if (length < 1) return
  const head = (at: Point, turned: number) => {
    for (const side of [-0.45, 0.45]) {
      context.moveTo(at.x, at.y)
      context.lineTo(at.x - 12 * px * Math.cos(turned + side), at.y - 12 * px * Math.sin(turned + side))
    }
  }
  context.beginPath()
  context.moveTo(arrow.from.x, arrow.from.y)
  context.lineTo(arrow.to.x, arrow.to.y)
  if (arrow.direction !== 'left') head(arrow.to, angle)
  if (arrow.direction !== 'right') head(arrow.from, angle + Math.PI)
  context.globalAlpha = arrow.strong ? 1 : 0.7
  context.strokeStyle = '#000000'
  context.lineWidth = 4.5 * px
  context.stroke()
  context.strokeStyle = '#ffffff'
  context.lineWidth = 2 * px
  context.stroke()
  context.globalAlpha = 1
}

export const FONT = "600 11px 'Inter Variable', system-ui, sans-serif"

const widths = new Map<string, number>()

/** Where a picture's text stands; null where it has none, or none that is shown. */
function textPlace(context: CanvasRenderingContext2D, { box, title, shape, chosen, peak }: Picture, frame: Frame): Rect | null {
  const px = 1 / frame.scale
  const { seen } = frame
  if (!title || box.x > seen.x + seen.width || box.y > seen.y + seen.height || box.x + box.width < seen.x || box.y + box.height < seen.y) return null
  // Beside a shape of a few pixels its text would only hide its neighbours.
  if (!chosen && shape.kind !== 'keypoint' && box.width * frame.scale < 28 && box.height * frame.scale < 28) return null
  let width = widths.get(title)
  if (width === undefined) {
    context.save()
    context.font = FONT
    widths.set(title, (width = context.measureText(title).width))
    context.restore()
  }
  if (frame.crowded && !chosen && shape.kind !== 'keypoint' && box.width * frame.scale < width + 8) return null
  const high = 16 * px
  const x = shape.kind === 'keypoint' ? box.x + 10 * px : Math.max(peak.x, Math.min(seen.x, box.x + box.width - (width + 8) * px))
  const above = shape.kind === 'keypoint' ? box.y - high / 2 : box.y - high - px
  // At the upper edge of what is seen the text moves inside its shape.
  const y = above < seen.y ? Math.max(seen.y, box.y) + px : above
  return { x, y, width: (width + 8) * px, height: high }
}

function paintTexts(context: CanvasRenderingContext2D, pictures: readonly Picture[], frame: Frame): void {
  const px = 1 / frame.scale
  context.font = `600 ${11 * px}px 'Inter Variable', system-ui, sans-serif`
  context.textBaseline = 'middle'
  for (const picture of pictures) {
    const place = textPlace(context, picture, frame)
    if (!place) continue
    context.globalAlpha = picture.ghost ? 0.75 : 1
    context.fillStyle = picture.color
    context.fillRect(place.x, place.y, place.width, place.height)
    context.fillStyle = against(picture.color)
    context.fillText(picture.title, place.x + 4 * px, place.y + place.height / 2)
    context.globalAlpha = 1
  }
}

/** All that is painted of a picture lies in it: its outline's width, its mark, its text. In pixels of the image. */
export function extentOf(context: CanvasRenderingContext2D, picture: Picture, frame: Frame): Rect {
  const { box, shape, width } = picture
  const margin = (Math.max((width + 3) / 2, shape.kind === 'keypoint' ? POINT_RADIUS + 4 : 0) + 1) / frame.scale
  const text = frame.texts ? textPlace(context, picture, frame) : null
  const [left, top] = [Math.min(box.x - margin, text?.x ?? Infinity), Math.min(box.y - margin, text?.y ?? Infinity)]
  const [right, bottom] = [Math.max(box.x + box.width + margin, text ? text.x + text.width : -Infinity), Math.max(box.y + box.height + margin, text ? text.y + text.height : -Infinity)]
  return { x: left, y: top, width: right - left, height: bottom - top }
}

/** Whom a point means: of those it lies in the smallest; `edges`: only whose edge it is on. `reach` in pixels of the image. */
export function pictureAt(pictures: readonly Picture[], point: Point, reach: number, edges: boolean): Picture | null {
  let best: { picture: Picture; rank: number } | null = null
  for (const picture of pictures) {
    const met = meet(picture.shape, point, picture.shape.kind === 'keypoint' ? reach * 1.6 : reach)
    if (!met || (edges && met !== 'edge')) continue
    const rank = area(picture.shape) * (picture.chosen ? 0.5 : 1)
    if (!best || rank < best.rank) best = { picture, rank }
  }
  return best?.picture ?? null
}
