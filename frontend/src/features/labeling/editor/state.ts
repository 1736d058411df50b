/** What the editor holds while it is open, what it is given, and what an object's view can do. */
import type { Rect } from './geometry'
import type { LabelConfig } from './config'
import type { Result } from './result'
import type { Media } from './time/media'

export interface Item {
  readonly data: Readonly<Record<string, unknown>>
  /** Addresses of the images, by the object's name. */
  readonly urls: Readonly<Record<string, string>>
  /** Of images that are too large for one piece. */
  readonly pyramids?: Readonly<Record<string, PyramidAt>>
}

/** Where a large image lies: as wide as a screen, what is known of its tiles, and they (followed by /level/column/row). */
export interface PyramidAt {
  readonly overview: string
  readonly pyramid: string
  readonly tiles: string
}

/** A result that others change at the same time, in place of the editor's own history: undo is of one's own changes. */
export interface LiveResult {
  readonly canUndo: boolean
  readonly canRedo: boolean
  /** The result now; what nobody changed is the same object as before. */
  read(): Result
  /** Writes what `next` has otherwise. `together`: as in `EditorStore.apply`. */
  apply(next: Result, label: string, together: string): void
  /** Gives the words of what was undone. */
  undo(): string | undefined
  redo(): string | undefined
  /** Called when the result is another and this editor did not do it. */
  subscribe(listener: () => void): () => void
}

/** Somebody else in the same item. Places are percent of the image's width and height. */
export interface Peer {
  readonly client: number
  readonly id: string
  readonly name: string
  readonly color: string
  readonly selected: readonly string[]
  readonly pointer: Spot | null
  readonly drawing: { readonly object: string; readonly points: readonly (readonly [number, number])[]; readonly closed: boolean } | null
}

export interface Spot {
  readonly object: string
  readonly x: number
  readonly y: number
}

export interface EditorOptions {
  readonly config: LabelConfig
  readonly item: Item
  readonly result: Result
  readonly readOnly?: boolean
  /** A model's answers that are not part of the result yet: shown dashed, taken over one by one or all at once. */
  readonly suggestions?: Result
  readonly live?: LiveResult
  readonly onChange?: (result: Result) => void
}

/** What is drawn with: a control and one of its labels. */
export interface Brush {
  readonly control: string
  readonly label: string
}

/** How one looks, kept from item to item. */
export interface Looks {
  readonly brightness: number
  readonly contrast: number
  readonly panel: boolean
  /** How strongly masks cover the image, in percent of what the schema says. */
  readonly masks: number
  /** Labels beside shapes. */
  readonly texts: boolean
}

/** What paints masks, kept from item to item. */
export interface MaskTools {
  readonly tool: 'brush' | 'eraser' | 'wand'
  /** Across, in pixels of the image; 0 until an image is there. */
  readonly size: number
  /** 0 to 255: how far colours of one region may lie apart. */
  readonly tolerance: number
  /** The wand is at work. */
  readonly busy: boolean
}

export interface EditorState {
  readonly result: Result
  readonly canUndo: boolean
  readonly canRedo: boolean
  readonly dirty: boolean
  readonly readOnly: boolean
  readonly selected: ReadonlySet<string>
  readonly hidden: ReadonlySet<string>
  readonly locked: ReadonlySet<string>
  /** Suggested regions that were taken over as they are: no longer dashed. */
  readonly accepted: ReadonlySet<string>
  readonly suggestions: Result
  readonly peers: readonly Peer[]
  /** Null: selecting and moving. */
  readonly brush: Brush | null
  /** The skeleton that is being placed: its first point ('' before that), and the labels that were skipped. */
  readonly instance: { readonly root: string; readonly skipped: readonly string[] } | null
  /** Of a document, from 0. */
  readonly page: number
  /** The region from which a relation is being made. */
  readonly relating: string | null
  readonly looks: Looks
  readonly masks: MaskTools
  readonly help: boolean
  readonly said: string
  /** Asked for by a problem or a key: which control's field gets the focus. `turn` counts requests. */
  readonly focus: { readonly control: string; readonly turn: number } | null
  readonly reveal: { readonly id: string; readonly turn: number } | null
}

/** What an object's view can do; it registers itself while it is mounted. */
export interface View {
  zoom(by: number): void
  fit(): void
  actual(): void
  show(ids: ReadonlySet<string>): void
  pan(dx: number, dy: number): void
  /** To another page. */
  turn(by: number): void
  seen(): Rect
  /** Gives up what is being drawn; says whether there was something. */
  cancel(): boolean
  /** Finishes what is being drawn (a polygon, a picked text); says whether there was something. */
  finish(): boolean
  removeLast(): boolean
  label(brush: Brush): boolean
  /** Something is being drawn or marked right now. */
  busy(): boolean
  focus(): void
  /** Of what plays. */
  media: Media
}
