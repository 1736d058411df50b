/** The label schema as the server gives it, and questions about it. Parsing Label Studio's XML is the server's. */

export type ObjectTag = 'Image' | 'Text' | 'Audio' | 'Video' | 'List' | 'Table' | 'Pdf'

export type ControlTag =
  | 'Choices'
  | 'Rating'
  | 'TextArea'
  | 'Number'
  | 'Labels'
  | 'RectangleLabels'
  | 'PolygonLabels'
  | 'EllipseLabels'
  | 'KeyPointLabels'
  | 'Rectangle'
  | 'Polygon'
  | 'Ellipse'
  | 'KeyPoint'
  | 'BrushLabels'
  | 'Brush'
  | 'MagicWand'
  | 'VideoRectangle'
  | 'VectorLabels'
  | 'Vector'
  | 'Pairwise'
  | 'Ranker'

export interface LabelOption {
  readonly value: string
  /** `#rrggbb` */
  readonly color: string
  readonly hotkey: string
  readonly hint: string
}

export interface LabelObject {
  readonly name: string
  readonly tag: ObjectTag
  /** The variable of the item's data. */
  readonly value: string
  /** Frames a second of a video, where the schema says so. */
  readonly frame_rate?: number | null
  /** Above a list. */
  readonly title?: string
}

export interface Bucket {
  readonly name: string
  readonly title: string
  /** All entries lie in it at first. */
  readonly default: boolean
}

export interface LabelControl {
  readonly name: string
  /** The object it speaks of. */
  readonly to: string
  readonly tag: ControlTag
  /** Label Studio's result type. */
  readonly type: string
  readonly labels: readonly LabelOption[]
  readonly multiple: boolean
  readonly required: boolean
  readonly required_message: string
  /** An attribute of the selected region. */
  readonly per_region: boolean
  readonly can_rotate: boolean
  readonly minimum: number | null
  readonly maximum: number | null
  readonly step: number | null
  readonly placeholder: string
  readonly rows: number
  readonly max_submissions: number | null
  readonly stroke_width: number
  readonly opacity: number
  /** Masks may also be made by colour. */
  readonly wand: boolean
  /** Pairs of labels of key points that a line joins. */
  readonly skeleton: readonly (readonly [string, string])[]
  /** Its lines may end where they begin. Of lines `minimum` and `maximum` count points. */
  readonly closable: boolean
  /** The second object of a pair. */
  readonly to_more: readonly string[]
  /** Where a ranking's entries are put. */
  readonly buckets: readonly Bucket[]
}

export type LayoutNode =
  | { readonly kind: 'object' | 'control'; readonly name: string }
  | { readonly kind: 'header'; readonly text: string; readonly size: number }
  | { readonly kind: 'view'; readonly direction: 'row' | 'column'; readonly children: readonly LayoutNode[] }

export interface LabelConfig {
  readonly objects: readonly LabelObject[]
  readonly controls: readonly LabelControl[]
  readonly layout: readonly LayoutNode[]
}

export type ShapeKind = 'rectangle' | 'polygon' | 'ellipse' | 'keypoint' | 'brush' | 'vector'

export const SHAPE_NAMES: Record<ShapeKind, string> = { rectangle: 'Box', polygon: 'Polygon', ellipse: 'Ellipse', keypoint: 'Point', brush: 'Mask', vector: 'Line' }
const KINDS: readonly ShapeKind[] = ['rectangle', 'polygon', 'ellipse', 'keypoint', 'brush', 'vector']

/** The shape that a result type or a control's type draws; null if it draws none. */
export function shapeKind(type: string): ShapeKind | null {
  if (type === 'magicwand') return 'brush'
  const bare = type.endsWith('labels') ? type.slice(0, -'labels'.length) : type
  return KINDS.find((kind) => kind === bare) ?? null
}

/** Objects that are drawn on: pictures, and the pages of a document. */
const PICTURES: ReadonlySet<ObjectTag> = new Set(['Image', 'Pdf'])

export function hasPicture(config: LabelConfig): boolean {
  return config.objects.some((object) => PICTURES.has(object.tag))
}

export function objectOf(config: LabelConfig, name: string): LabelObject | undefined {
  return config.objects.find((object) => object.name === name)
}

export function controlOf(config: LabelConfig, name: string): LabelControl | undefined {
  return config.controls.find((control) => control.name === name)
}

/** Makes regions itself: a shape on an image, labels on a text or a sound, boxes of a video. */
export function makesRegions(config: LabelConfig, control: LabelControl): boolean {
  const tag = objectOf(config, control.to)?.tag
  return shapeKind(control.type) !== null || control.type === 'videorectangle' || (control.type === 'labels' && (tag === 'Text' || tag === 'Audio'))
}

/** Where the value of a region holds its labels. */
export function labelKey(type: string): string {
  return type === 'videorectangle' ? 'labels' : type
}

/** Shows something that plays. */
export function plays(object: LabelObject): boolean {
  return object.tag === 'Audio' || object.tag === 'Video'
}

/** `Labels` beside a bare `Rectangle` (Polygon, …) of the same image: they name the regions which that makes. */
export function namesRegions(config: LabelConfig, control: LabelControl): boolean {
  return control.type === 'labels' && objectOf(config, control.to)?.tag === 'Image'
}

export function hasPalette(config: LabelConfig, control: LabelControl): boolean {
  return control.labels.length > 0 && (makesRegions(config, control) || namesRegions(config, control))
}

/** Answers of the item, or attributes of a region; not what makes or names regions. */
export function isQuestion(control: LabelControl): boolean {
  return ['choices', 'rating', 'textarea', 'number', 'pairwise'].includes(control.type)
}

/** Said once of the whole item, wherever it is asked: a question, or a ranking in the list itself. */
export function isAnswer(control: LabelControl): boolean {
  return !control.per_region && (isQuestion(control) || control.type === 'ranker')
}

/** What results of a control say they speak of: a pair, of two objects, names itself, as in Label Studio. */
export function toName(control: Pick<LabelControl, 'name' | 'to' | 'type'>): string {
  return control.type === 'pairwise' ? control.name : control.to
}

export function drawingControls(config: LabelConfig, object: string): LabelControl[] {
  return config.controls.filter((control) => control.to === object && makesRegions(config, control))
}

/** What draws when a label of this control is chosen: the control itself or, for `Labels` on an image, the first bare shape there. */
export function drawerOf(config: LabelConfig, control: LabelControl): LabelControl | undefined {
  if (makesRegions(config, control)) return control
  return config.controls.find((other) => other.to === control.to && shapeKind(other.type) && other.labels.length === 0)
}

/** The `Labels` that name what a bare shape control draws. */
export function namerOf(config: LabelConfig, drawer: LabelControl): LabelControl | undefined {
  if (drawer.labels.length > 0) return drawer
  return config.controls.find((other) => other.to === drawer.to && namesRegions(config, other))
}

export function optionOf(control: LabelControl | undefined, value: string): LabelOption | undefined {
  return control?.labels.find((label) => label.value === value)
}

/** Controls in the order in which they are shown; those the layout forgets come last. */
export function controlsInOrder(config: LabelConfig): LabelControl[] {
  const names: string[] = []
  const walk = (nodes: readonly LayoutNode[]) => {
    for (const node of nodes) {
      if (node.kind === 'control') names.push(node.name)
      else if (node.kind === 'view') walk(node.children)
    }
  }
  walk(config.layout)
  const placed = names.flatMap((name) => controlOf(config, name) ?? [])
  return [...placed, ...config.controls.filter((control) => !names.includes(control.name))]
}

/** A heading that stands right before a control in the layout, by the control's name. */
export function headings(config: LabelConfig): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const walk = (nodes: readonly LayoutNode[]) => {
    let last = ''
    for (const node of nodes) {
      if (node.kind === 'header') last = node.text
      else {
        if (node.kind === 'control' && last) found.set(node.name, last)
        if (node.kind === 'view') walk(node.children)
        last = ''
      }
    }
  }
  walk(config.layout)
  return found
}
