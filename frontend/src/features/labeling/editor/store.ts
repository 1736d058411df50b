/**
 * What the open editor knows and does, outside React: the result with its history, what is selected, what is drawn with.
 * Components read parts of it with `useEditorState`; commands (actions/) call its verbs. It never asks the studio.
 */
import { controlOf, drawerOf, labelKey, namerOf, shapeKind, type LabelConfig, type LabelControl, type ShapeKind } from './config'
import { defaultShape, moved, pushedInside, shapeOf, valueOf, type Shape, type Size } from './geometry'
import { push, redo, startHistory, undo, type History } from './history'
import { bindings, type Bound } from './keys'
import { problems, type Problem } from './problems'
import * as results from './result'
import { isRelation, titleOf, type Drawn, type Region, type Relation, type Result, type Value } from './result'
import type { EditorOptions, EditorState, Item, LiveResult, Looks, MaskTools, Peer, View } from './state'
import { movedToPage, onPage } from './document/pages'
import { goOn } from './skeleton'
import { startState } from './start'
import { takenOver } from './suggestions'

const NONE: ReadonlySet<string> = new Set<string>()

let clipboard: Result = []

export class EditorStore {
  readonly config: LabelConfig
  readonly keys: readonly Bound[]
  item: Item
  onChange: ((result: Result) => void) | undefined
  /** Told where the pointer is and what is being drawn, where others see it. */
  onPresence: ((shown: Partial<Pick<Peer, 'pointer' | 'drawing'>>) => void) | undefined
  readonly live: LiveResult | undefined
  state: EditorState
  readonly sizes: Record<string, Size> = {}
  /** What every region of an object says beside its value, as the length of a sound. */
  readonly beside: Record<string, Partial<Region>> = {}
  readonly views = new Map<string, Partial<View>>()
  private history: History<Result>
  private saved: Result
  private read: { result: Result | null; regions: readonly Drawn[] } = { result: null, regions: [] }
  private readonly listeners = new Set<() => void>()
  private turn = 0

  constructor(options: EditorOptions, before?: EditorStore) {
    this.config = options.config
    this.item = options.item
    this.onChange = options.onChange
    this.keys = bindings(options.config)
    this.live = options.live
    const result = options.live?.read() ?? options.result
    this.history = startHistory(result)
    this.saved = result
    this.state = startState(options, result, before)
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  set(change: Partial<EditorState>): void {
    const keys = Object.keys(change) as (keyof EditorState)[]
    if (keys.every((key) => this.state[key] === change[key])) return
    this.state = { ...this.state, ...change }
    for (const listener of this.listeners) listener()
  }

  // --- reading

  /** The same list while the result is the same. */
  get regions(): readonly Drawn[] {
    if (this.read.result !== this.state.result) this.read = { result: this.state.result, regions: results.drawnRegions(this.config, this.state.result) }
    return this.read.regions
  }

  region(id: string): Drawn | undefined {
    return this.regions.find((region) => region.id === id)
  }

  /** The one selected region. */
  get current(): Drawn | undefined {
    return this.state.selected.size === 1 ? this.region([...this.state.selected][0]!) : undefined
  }

  problems(): Problem[] {
    return problems(this.config, this.state.result)
  }

  sizeOf(region: Drawn): Size {
    return this.sizes[region.to] ?? { width: region.main.original_width ?? 100, height: region.main.original_height ?? 100 }
  }

  shape(region: Drawn): Shape | null {
    const kind = shapeKind(region.main.type)
    return kind ? shapeOf(kind, region.main.value, this.sizeOf(region)) : null
  }

  /** Somebody has said something, or is about to: there is a result or a step, or something is being drawn. */
  get begun(): boolean {
    const { result, canUndo, canRedo, instance } = this.state
    return result.length > 0 || canUndo || canRedo || instance !== null || [...this.views.values()].some((view) => view.busy?.())
  }

  editable(id: string): boolean {
    return !this.state.readOnly && !this.state.locked.has(id)
  }

  /** The control that draws under the brush; for an image with its kind of shape. */
  get drawer(): LabelControl | undefined {
    const control = this.state.brush && controlOf(this.config, this.state.brush.control)
    return control ? drawerOf(this.config, control) : undefined
  }

  // --- changing

  /** The one way to change the result. `together`: changes with the same word that follow each other are undone as one. */
  apply(next: Result, label: string, together = ''): boolean {
    if (this.state.readOnly || next === this.state.result) return false
    if (this.live) this.live.apply(next, label, together)
    else this.history = push(this.history, next, label, together)
    this.publish(label)
    return true
  }

  undo(): void {
    if (this.live) this.travelled('Undone', this.live)
    else this.travel(undo(this.history), 'Undone', this.history.past.at(-1)?.label)
  }

  redo(): void {
    if (this.live) this.travelled('Redone', this.live)
    else this.travel(redo(this.history), 'Redone', this.history.future[0]?.label)
  }

  /** Another result in place, without a step of undo: loading, or taking over what somebody else saved. */
  load(result: Result): void {
    this.history = startHistory(result)
    this.saved = result
    this.set({ result, canUndo: false, canRedo: false, dirty: false, selected: NONE, relating: null })
  }

  /** The page saved this result: from here on it is what “dirty” compares with. */
  markSaved(result: Result = this.state.result): void {
    this.saved = result
    this.set({ dirty: !results.equalResults(this.saved, this.state.result) })
  }

  private travel(history: History<Result>, word: string, label: string | undefined): void {
    if (this.state.readOnly || history === this.history) return
    this.history = history
    this.went(word, label)
  }

  private travelled(word: 'Undone' | 'Redone', live: LiveResult): void {
    const label = this.state.readOnly ? undefined : word === 'Undone' ? live.undo() : live.redo()
    if (label !== undefined) this.went(word, label)
  }

  private went(word: string, label: string | undefined): void {
    this.publish(label ? `${word}: ${label}` : word)
    if (this.state.instance) goOn(this, this.state.instance.root, this.state.instance.skipped)
  }

  /** Somebody else changed the result. */
  receive(): void {
    this.publish(null)
  }

  private publish(said: string | null): void {
    const result = this.live?.read() ?? this.history.present
    const there = new Set(result.flatMap((entry) => (isRelation(entry) ? [] : [entry.id])))
    const selected = [...this.state.selected].every((id) => there.has(id)) ? this.state.selected : new Set([...this.state.selected].filter((id) => there.has(id)))
    this.set({
      result,
      selected,
      relating: this.state.relating && there.has(this.state.relating) ? this.state.relating : null,
      canUndo: this.live?.canUndo ?? this.history.past.length > 0,
      canRedo: this.live?.canRedo ?? this.history.future.length > 0,
      dirty: !results.equalResults(this.saved, result),
      ...(said === null ? {} : { said: this.words(said) }),
    })
    if (said !== null) this.onChange?.(result)
  }

  /** A new region; its id, or null where nothing may be changed. */
  add(drawer: LabelControl, geometry: Value, label: string, parent?: string): string | null {
    const namer = namerOf(this.config, drawer)
    const id = results.newId()
    const size = this.sizes[drawer.to]
    const image = size ? { original_width: size.width, original_height: size.height, image_rotation: 0 as const, ...onPage(this, drawer.to) } : (this.beside[drawer.to] ?? {})
    const entry = (control: LabelControl, value: Value): Region => ({ id, from_name: control.name, to_name: control.to, type: control.type, value, ...image, origin: 'manual', ...(parent ? { parentID: parent } : {}) })
    const named = namer && label !== '' ? { [labelKey(namer.type)]: [label] } : {}
    const made = namer === drawer || !namer ? [entry(drawer, { ...geometry, ...named })] : [entry(drawer, geometry), ...(label ? [entry(namer, { ...geometry, ...named })] : [])]
    return this.apply([...this.state.result, ...made], `${label || 'Region'} added`) ? id : null
  }

  addShape(shape: Shape): string | null {
    const drawer = this.drawer
    const size = drawer && this.sizes[drawer.to]
    if (!drawer || !size || !this.state.brush) return null
    const { root = '', skipped = [] } = (drawer.skeleton.length > 0 && this.state.instance) || {}
    const id = this.add(drawer, valueOf(shape, size), this.state.brush.label, root)
    if (id && drawer.skeleton.length > 0) goOn(this, root || id, skipped)
    return id
  }

  /** Enter on the canvas: a shape in the middle of what is seen, selected, for the arrows to move and to size. */
  addDefault(): string | null {
    const drawer = this.drawer
    const kind = drawer && shapeKind(drawer.type)
    const seen = drawer && this.views.get(drawer.to)?.seen?.()
    const size = drawer && this.sizes[drawer.to]
    if (!kind || !seen || !size) return null
    const id = this.addShape(pushedInside(defaultShape(kind, seen, size, Math.max(2, drawer.minimum ?? 2)), size))
    if (id) this.select([id])
    return id
  }

  setShape(id: string, shape: Shape, label: string, together = ''): void {
    const region = this.region(id)
    if (shape.kind === 'brush' && shape.mask.area === 0) return this.remove(new Set([id]))
    if (region && this.editable(id)) this.apply(results.withGeometry(this.state.result, id, valueOf(shape, this.sizeOf(region))), `${titleOf(region)} ${label}`, together)
  }

  /** Another place in time. `together`: as in `apply`. */
  setTimed(id: string, place: Value, label: string, together = ''): void {
    const region = this.region(id)
    if (region && this.editable(id)) this.apply(results.withGeometry(this.state.result, id, place), `${titleOf(region)} ${label}`, together)
  }

  setSpan(id: string, start: number, end: number, text: string): void {
    const region = this.region(id)
    if (region && this.editable(id) && start < end) this.apply(results.withGeometry(this.state.result, id, { start, end, text: text.slice(start, end) }), `${titleOf(region)} is now “${text.slice(start, end)}”`, `span:${id}`)
  }

  /** Gives selected regions another label, where the control may name them. */
  relabel(ids: Iterable<string>, control: LabelControl, label: string): boolean {
    const wanted = new Set([...ids].filter((id) => this.editable(id)))
    let next: Result = this.state.result
    for (const region of this.regions) {
      if (!wanted.has(region.id) || region.to !== control.to) continue
      if (shapeKind(control.type) ? shapeKind(control.type) !== region.kind : control.type === 'labels' && region.kind === 'span' && region.main.type !== 'labels') continue
      if (region.main.type === control.type || region.kind === 'span') {
        next = next.map((entry) =>
          entry === region.main
            ? { ...region.main, from_name: control.name, type: control.type, value: { ...region.main.value, [labelKey(control.type)]: [label] }, ...(region.main.origin === 'prediction' ? { origin: 'prediction-changed' as const } : {}) }
            : entry,
        )
      } else if (control.type === 'labels') {
        next = results.withAnswer(next, control, { ...region.main.value, [control.type]: [label] }, region.id)
      }
    }
    return this.apply(next, `Label ${label}`)
  }

  remove(ids: ReadonlySet<string>): void {
    const gone = new Set([...ids].filter((id) => this.editable(id)))
    this.apply(results.withoutRegions(this.state.result, gone), gone.size === 1 ? 'Region deleted' : `${gone.size} regions deleted`)
  }

  copy(): void {
    clipboard = results.entriesOf(this.state.result, this.state.selected)
    if (clipboard.length > 0) this.announce(`Copied ${this.state.selected.size}`)
  }

  paste(): void {
    this.insert(clipboard, 'Pasted')
  }

  duplicate(): void {
    this.insert(results.entriesOf(this.state.result, this.state.selected), 'Duplicated')
  }

  /** Shapes only: a span is where its text is. */
  private insert(entries: Result, label: string): void {
    const shapes = new Set(entries.flatMap((entry) => (!isRelation(entry) && shapeKind(entry.type) && controlOf(this.config, entry.from_name) ? [entry.id] : [])))
    const copies = results.copied(results.entriesOf(entries, shapes))
    const made = { ...copies, entries: movedToPage(this, copies.entries) }
    if (made.ids.length === 0) return
    let next: Result = [...this.state.result, ...made.entries]
    // A little aside, so that the copy is seen to be one.
    for (const region of results.drawnRegions(this.config, made.entries)) {
      const size = this.sizeOf(region)
      const shape = this.shape(region)
      const aside = Math.max(4, size.width / 60)
      if (shape) next = results.withGeometry(next, region.id, valueOf(pushedInside(moved(shape, aside, aside), size), size))
    }
    if (this.apply(next, label)) this.select(made.ids)
  }

  answer(control: LabelControl, value: Value | null, region?: string, label = `${control.name} changed`): void {
    if (region !== undefined && !this.editable(region)) return
    this.apply(results.withAnswer(this.state.result, control, value, region), label, `answer:${control.name}:${region ?? ''}`)
  }

  choose(control: LabelControl, choice: string, region?: string): void {
    if (region !== undefined && !this.editable(region)) return
    const before = results.answerOf(this.state.result, control.name, region)
    const now = results.toggledChoice((before?.value.choices as string[] | undefined) ?? [], choice, control.multiple)
    this.apply(results.withAnswer(this.state.result, control, now.length > 0 ? { choices: now } : null, region), now.includes(choice) ? `${choice} chosen` : `${choice} no longer chosen`)
  }

  relate(from: string, to: string): void {
    this.set({ relating: null })
    this.apply(results.withRelation(this.state.result, from, to), 'Relation added')
  }

  turnRelation(relation: Relation): void {
    this.apply(results.withTurned(this.state.result, relation), 'Relation turned')
  }

  removeRelation(relation: Relation): void {
    this.apply(
      this.state.result.filter((entry) => entry !== relation),
      'Relation deleted',
    )
  }

  // --- suggestions

  /** Takes suggestions over into the result: some regions, or all. */
  accept(ids?: ReadonlySet<string>): void {
    const { taken, result } = takenOver(this.config, this.state.result, this.state.suggestions, ids)
    this.set({ accepted: new Set([...this.state.accepted, ...taken.flatMap((entry) => (isRelation(entry) ? [] : [entry.id]))]), suggestions: this.state.suggestions.filter((entry) => !taken.includes(entry)) })
    this.apply(result, ids?.size === 1 ? 'Suggestion taken over' : 'Suggestions taken over')
  }

  dismiss(id: string): void {
    this.set({ suggestions: this.state.suggestions.filter((entry) => (isRelation(entry) ? entry.from_id !== id && entry.to_id !== id : entry.id !== id)) })
    this.announce('Suggestion set aside')
  }

  /** A predicted region in the result is right as it is: it is no longer drawn dashed. */
  confirm(ids: ReadonlySet<string>): void {
    this.set({ accepted: new Set([...this.state.accepted, ...ids]) })
    this.announce('Accepted')
  }

  // --- looking

  select(ids: Iterable<string>, options: { reveal?: boolean } = {}): void {
    const selected = new Set(ids)
    const [first] = selected
    if (this.state.relating && first && first !== this.state.relating) return this.relate(this.state.relating, first)
    const same = selected.size === this.state.selected.size && [...selected].every((id) => this.state.selected.has(id))
    const region = first && selected.size === 1 ? this.region(first) : undefined
    this.set({
      ...(same ? {} : { selected }),
      ...(options.reveal && first ? { reveal: { id: first, turn: ++this.turn } } : {}),
      ...(region && !same ? { said: this.words(`${titleOf(region)} selected, ${this.regions.indexOf(region) + 1} of ${this.regions.length}`) } : {}),
    })
  }

  toggle(which: 'hidden' | 'locked', ids: Iterable<string>): void {
    const wanted = [...ids]
    const now = new Set(this.state[which])
    const on = wanted.some((id) => !now.has(id))
    for (const id of wanted) if (on) now.add(id)
    else now.delete(id)
    this.set({ [which]: now })
    this.announce(which === 'hidden' ? (on ? 'Hidden' : 'Shown') : on ? 'Locked' : 'Unlocked')
  }

  /** Draws with a label from now on; with regions selected (and not `only`), names them so too. */
  pick(control: LabelControl, label: string, only = false): void {
    if (this.state.readOnly) return
    const brush = { control: control.name, label }
    // Marked text takes the label; what is marked next may be another's.
    if (this.views.get(control.to)?.label?.(brush)) return
    // While masks are painted, a label begins the next one: renaming what was just painted would be a surprise.
    const drawer = drawerOf(this.config, control)
    if (drawer && shapeKind(drawer.type) === 'brush' && this.state.brush && this.drawer && shapeKind(this.drawer.type) === 'brush' && this.state.selected.size > 0) {
      this.set({ brush, selected: NONE })
      return this.announce(`Painting ${label}`)
    }
    const named = !only && this.state.selected.size > 0 && this.relabel(this.state.selected, control, label)
    const off = !named && this.state.selected.size === 0 && this.state.brush?.control === brush.control && this.state.brush.label === label
    this.set({ brush: off ? null : brush })
    if (only) this.set({ selected: NONE })
    if (!named) this.announce(off ? 'Selecting' : `Drawing ${label}`)
  }

  /** A tool's button or key: draws with the label last used with that kind of shape, else its first. */
  useTool(kind: ShapeKind | null): void {
    if (kind === null) return this.set({ brush: null, relating: null, instance: null })
    if (this.state.readOnly) return
    const drawer = this.config.controls.find((control) => shapeKind(control.type) === kind)
    const namer = drawer && namerOf(this.config, drawer)
    if (!drawer) return
    const last = this.state.brush?.label
    const label = namer?.labels.find((option) => option.value === last) ?? namer?.labels[0]
    this.set({ brush: { control: drawer.name, label: label?.value ?? '' }, selected: NONE })
    this.announce(`${label ? `Drawing ${label.value}` : 'Drawing'}`)
  }

  /** Goes on with the selected mask, else with the label that masks were last painted with. */
  useMaskTool(tool: MaskTools['tool']): void {
    if (this.state.readOnly) return
    const { current, drawer } = this
    if (current?.kind === 'brush') this.set({ brush: { control: current.main.from_name, label: current.labels[0] ?? '' }, relating: null })
    else if (!this.state.brush || !drawer || shapeKind(drawer.type) !== 'brush') this.useTool('brush')
    this.set({ masks: { ...this.state.masks, tool } })
    this.announce({ brush: 'Painting', eraser: 'Erasing', wand: 'Magic wand' }[tool])
  }

  /** A brush never becomes smaller than a pixel. */
  sizeBrush(size: number): void {
    this.set({ masks: { ...this.state.masks, size: Math.max(1, Math.min(2000, size)) } })
  }

  look(change: Partial<Looks>): void {
    this.set({ looks: { ...this.state.looks, ...change } })
  }

  /** Goes to where something is missing. */
  goTo(problem: Problem): void {
    if (problem.region) this.select([problem.region], { reveal: true })
    this.set({ focus: { control: problem.control, turn: ++this.turn }, said: this.words(problem.message), looks: { ...this.state.looks, panel: true } })
  }

  focusControl(control: string): void {
    this.set({ focus: { control, turn: ++this.turn } })
  }

  announce(text: string): void {
    this.set({ said: this.words(text) })
  }

  /** The same words twice are spoken twice only when the text differs. */
  private words(text: string): string {
    return text === this.state.said ? `${text}\u00a0` : text
  }
}
