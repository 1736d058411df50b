/**
 * What the open canvas knows and does, outside React: the draft, what is selected, which dialog is open, what the
 * studio said about the graph. Components read parts of it with `useEditor…` hooks; commands call its verbs.
 */
import type { ReactFlowInstance } from '@xyflow/react'

import type { Schemas } from '@/api/client'

import { componentOf, inputPort, outputPort, stepTitle, EMPTY_CATALOG, type Catalog } from '../graph/catalog'
import { canConnect, fittingPorts, type OpenEnd } from '../graph/connect'
import * as edit from '../graph/edit'
import { flowBadges } from '../graph/flow'
import { kindsFit, outputKind } from '../graph/kinds'
import { at, bounds, stepSize, WIDTH } from '../graph/geometry'
import { placed } from '../graph/layout'
import { problemsAt } from '../graph/problems'
import { edgeId, edgesOf, EMPTY, same, type Columns, type Component, type Edge, type Graph, type Position, type Problem, type Step } from '../graph/types'
import type { Draft } from '../document/draft'
import type { Peer } from '../document/session'

export type Dialog =
  | { name: 'add'; end?: OpenEnd; edge?: Edge; position?: Position }
  | { name: 'connect'; step: string }
  /** `until`: only this step and what it needs; `fresh`: not from the cache. */
  | { name: 'run'; until?: string; fresh?: string; dry?: boolean }
  | { name: 'publish' }
  | { name: 'yaml'; tab: 'export' | 'import' }
  | { name: 'compare' }
  | { name: 'find' }
  /** Writing a code step: a new one, or the code that `step` uses. */
  | { name: 'code'; code?: { slug: string; version: number }; step?: string }

export interface Focus {
  readonly step: string
  readonly parameter: string | null
  /** Counts requests, so that asking for the same field twice works twice. */
  readonly turn: number
}

export type StepStatus = Pick<Schemas['StepRunOut'], 'id' | 'status' | 'progress' | 'message' | 'skip_reason' | 'error'> & { readonly run: number; readonly gave: boolean }

export interface EditorState {
  readonly catalog: Catalog
  readonly readOnly: boolean
  readonly steps: ReadonlySet<string>
  readonly edges: ReadonlySet<string>
  readonly dialog: Dialog | null
  readonly problems: readonly Problem[]
  readonly columns: Columns
  readonly checked: 'waiting' | 'done' | 'failed'
  readonly runProblems: readonly Problem[]
  readonly status: Readonly<Record<string, StepStatus>>
  /** The end from which a wire is being drawn, by dragging or by clicking. */
  readonly pending: (OpenEnd & { readonly by: 'drag' | 'click' }) | null
  /** Ports that fit the pending end, as `step.port`. */
  readonly fits: ReadonlySet<string>
  readonly focus: Focus | null
  readonly said: string
  readonly palette: boolean
  readonly inspector: boolean
  readonly problemsOpen: boolean
  readonly minimap: boolean
  readonly peers: readonly Peer[]
  /** Where the menu of the right mouse button is open, in the window. */
  readonly menu: { x: number; y: number; on: 'step' | 'edge' | 'canvas' } | null
}

const NONE: ReadonlySet<string> = new Set<string>()

/** What the editor needs of the world; the page gives it. */
export interface EditorHost {
  refuse(message: string): void
  tell(message: string, undo?: () => void): void
}

export class Editor {
  flow: ReactFlowInstance | null = null
  /** Opens the pipeline that a step is; the page gives it. */
  openStep: (step: Step) => void = () => undefined
  /** Where the pointer was last, on the plane: pasted steps land there. */
  pointer: Position | null = null
  state: EditorState = {
    catalog: EMPTY_CATALOG,
    readOnly: true,
    steps: NONE,
    edges: NONE,
    dialog: null,
    problems: [],
    columns: {},
    checked: 'waiting',
    runProblems: [],
    status: {},
    pending: null,
    fits: NONE,
    focus: null,
    said: '',
    palette: true,
    inspector: true,
    problemsOpen: false,
    minimap: true,
    peers: [],
    menu: null,
  }
  private readonly listeners = new Set<() => void>()
  private fixed: Graph | null = null
  private seen: { shown: Graph; catalog: Catalog; graph: Graph } = { shown: EMPTY, catalog: EMPTY_CATALOG, graph: EMPTY }

  constructor(
    readonly draft: Draft,
    private readonly host: EditorHost,
  ) {}

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

  /** Shows a version instead of the draft; null goes back. */
  show(graph: Graph | null): void {
    this.fixed = graph
    this.set({ steps: NONE, edges: NONE, pending: null, fits: NONE, status: {} })
    for (const listener of this.listeners) listener()
  }

  /** What is shown, every step with a place: those that have none (from YAML, from a script) are laid out. */
  get graph(): Graph {
    const shown = this.fixed ?? this.draft.getGraph()
    if (this.seen.shown !== shown || this.seen.catalog !== this.catalog) this.seen = { shown, catalog: this.catalog, graph: placed(shown, this.catalog) }
    return this.seen.graph
  }

  get catalog(): Catalog {
    return this.state.catalog
  }

  title(key: string): string {
    return stepTitle(this.catalog, this.graph, key)
  }

  /** For the live region: read out by screen readers, seen by nobody. */
  announce(text: string): void {
    // The same words twice are spoken twice only when the text differs.
    this.set({ said: text === this.state.said ? `${text}\u00a0` : text })
  }

  /** The one way to change the graph. */
  change(next: Graph, label: string, together = ''): boolean {
    if (this.state.readOnly || this.fixed) {
      this.host.refuse('This view is read-only.')
      return false
    }
    if (next === this.graph) return false
    this.draft.apply(next, label, together)
    this.prune()
    this.announce(`${label}.`)
    return true
  }

  undo(): void {
    if (this.state.readOnly || !this.draft.canUndo) return
    const before = this.graph
    const label = this.draft.undo()
    this.prune()
    this.selectReturned(before)
    this.announce(`Undone: ${label}.`)
  }

  redo(): void {
    if (this.state.readOnly || !this.draft.canRedo) return
    const before = this.graph
    const label = this.draft.redo()
    this.prune()
    this.selectReturned(before)
    this.announce(`Done again: ${label}.`)
  }

  /** Steps that undo or redo brought back are selected, as when they were added: the next key is about them. */
  private selectReturned(before: Graph): void {
    const returned = Object.keys(this.graph.steps).filter((key) => !before.steps[key])
    if (returned.length > 0) this.select(returned)
  }

  /** Drops from the selection what is no longer there: after undo, or when somebody else deleted it. */
  prune(): void {
    const { steps, edges } = this.state
    const kept = [...steps].filter((key) => this.graph.steps[key])
    const change: { steps?: ReadonlySet<string>; edges?: ReadonlySet<string> } = {}
    if (kept.length !== steps.size) change.steps = new Set(kept)
    if (edges.size > 0) {
      const ids = new Set(edgesOf(this.graph).map(edgeId))
      const left = [...edges].filter((id) => ids.has(id))
      if (left.length !== edges.size) change.edges = new Set(left)
    }
    if (change.steps || change.edges) this.set(change)
  }

  // Selecting and moving the view

  get selected(): string[] {
    return [...this.state.steps].filter((key) => this.graph.steps[key])
  }

  get current(): string | null {
    const keys = this.selected
    return keys.length === 1 ? (keys[0] as string) : null
  }

  get selectedEdges(): Edge[] {
    if (this.state.edges.size === 0) return []
    return edgesOf(this.graph).filter((edge) => this.state.edges.has(edgeId(edge)))
  }

  select(keys: Iterable<string>, edges: Iterable<string> = []): void {
    this.set({ steps: new Set(keys), edges: new Set(edges) })
  }

  /** Selects a step, says where we are, and brings it into view when it is not. */
  goTo(key: string, options: { centre?: boolean; quiet?: boolean } = {}): void {
    const step = this.graph.steps[key]
    if (!step) return
    this.select([key])
    if (!options.quiet) this.announce(this.describe(key))
    this.reveal(key, options.centre ?? false)
  }

  describe(key: string): string {
    const component = componentOf(this.catalog, this.graph.steps[key])
    const keys = Object.keys(this.graph.steps)
    const problems = this.problemsOf(key).length
    const status = this.state.status[key]?.status
    return [
      this.title(key),
      component && component.title !== this.title(key) ? component.title : '',
      `step ${keys.indexOf(key) + 1} of ${keys.length}`,
      ...flowBadges(this.graph.steps[key] ?? {}, component).map((badge) => badge.words),
      problems > 0 ? `${problems} ${problems === 1 ? 'problem' : 'problems'}` : '',
      status ?? '',
    ]
      .filter(Boolean)
      .join(', ')
  }

  problemsOf(key: string): Problem[] {
    return [...problemsAt(this.state.problems, key), ...problemsAt(this.state.runProblems, key)]
  }

  reveal(key: string, always = false): void {
    const flow = this.flow
    const step = this.graph.steps[key]
    if (!flow || !step) return
    const { x, y } = at(step)
    const size = stepSize(this.catalog, step)
    const view = this.visible()
    // A step that is cut at the edge is still seen: moving the whole view under someone's pointer would be worse.
    const [middle, height] = [x + size.width / 2, y + size.height / 2]
    const inside = view && middle >= view.x && height >= view.y && middle <= view.x + view.width && height <= view.y + view.height
    if (inside && !always) return
    void flow.setCenter(x + size.width / 2, y + size.height / 2, { zoom: Math.max(flow.getZoom(), 0.8), duration: 200 })
  }

  /** The part of the plane that is in view. */
  visible(): { x: number; y: number; width: number; height: number } | null {
    const flow = this.flow
    const pane = document.querySelector('[data-canvas] .react-flow')
    if (!flow || !pane) return null
    const box = pane.getBoundingClientRect()
    const from = flow.screenToFlowPosition({ x: box.left, y: box.top }, { snapToGrid: false })
    const to = flow.screenToFlowPosition({ x: box.right, y: box.bottom }, { snapToGrid: false })
    return { x: from.x, y: from.y, width: to.x - from.x, height: to.y - from.y }
  }

  centre(): Position {
    const view = this.visible()
    return view ? { x: view.x + view.width / 2 - WIDTH / 2, y: view.y + view.height / 2 - 48 } : { x: 0, y: 0 }
  }

  fit(keys?: readonly string[]): void {
    const box = bounds(this.graph, this.catalog, keys)
    if (box) void this.flow?.fitBounds(box, { padding: 0.16, duration: 200 })
  }

  focusField(step: string, parameter: string | null): void {
    this.goTo(step, { centre: true })
    this.set({ inspector: true, focus: { step, parameter, turn: (this.state.focus?.turn ?? 0) + 1 } })
  }

  open(dialog: Dialog | null): void {
    this.set({ dialog })
  }

  // Adding

  /** Adds a component: after the open end, into the edge, or at a place, whichever is given. */
  add(component: Component, how: { end?: OpenEnd; edge?: Edge; position?: Position } = {}): string | null {
    const { graph, catalog } = this
    let made: { graph: Graph; key: string } | null
    if (how.edge) {
      const kind = outputKind(graph, catalog, how.edge.source, how.edge.output)
      made = edit.insertOnEdge(graph, catalog, how.edge, component, kind)
    } else if (how.end) {
      made = edit.addConnected(graph, catalog, component, how.end, this.kindAt(how.end), how.position)
    } else {
      made = edit.addStep(graph, catalog, component, how.position ?? this.centre())
    }
    if (!made || !this.change(made.graph, `Added ${component.title}`)) return null
    this.goTo(made.key, { quiet: true })
    return made.key
  }

  kindAt(end: OpenEnd): string {
    const step = this.graph.steps[end.step]
    return end.side === 'output' ? outputKind(this.graph, this.catalog, end.step, end.port) : (inputPort(this.catalog, step, end.port)?.kind ?? '')
  }

  /** Where a component that is added without saying where belongs: after the one selected step, if it fits there. */
  naturalEnd(component: Component): OpenEnd | undefined {
    const key = this.current
    if (!key) return undefined
    for (const output of componentOf(this.catalog, this.graph.steps[key])?.outputs ?? []) {
      const kind = outputKind(this.graph, this.catalog, key, output.name)
      if (component.inputs.some((port) => kindsFit(port.kind, kind))) return { step: key, port: output.name, side: 'output' }
    }
    return undefined
  }

  // Wires

  start(end: OpenEnd, by: 'drag' | 'click'): void {
    if (this.state.readOnly) return
    const fits = fittingPorts(this.graph, this.catalog, end)
    this.set({ pending: { ...end, by }, fits: new Set(fits.map((fit) => `${fit.step}.${fit.port.name}`)) })
    if (by === 'click') {
      const count = fits.length
      this.announce(count > 0 ? `Connecting ${end.port} of ${this.title(end.step)}: choose one of ${count} fitting ports, or press Escape.` : `No port fits ${end.port} of ${this.title(end.step)}.`)
    }
  }

  stop(): void {
    if (this.state.pending) this.set({ pending: null, fits: NONE })
  }

  edgeBetween(from: OpenEnd, to: OpenEnd): Edge | null {
    if (from.side === to.side) return null
    const [source, target] = from.side === 'output' ? [from, to] : [to, from]
    return { source: source.step, output: source.port, target: target.step, port: target.port }
  }

  connect(edge: Edge): boolean {
    const { graph, verdict } = edit.connect(this.graph, this.catalog, edge)
    if (!verdict.ok) {
      this.refuse(verdict.reason)
      return false
    }
    const words = `${this.title(edge.source)} → ${this.title(edge.target)}`
    const done = this.change(graph, verdict.replaces ? `Reconnected ${words}` : `Connected ${words}`)
    if (done && verdict.replaces) {
      this.host.tell(`“${this.portTitle(edge)}” of “${this.title(edge.target)}” takes one wire: the one from “${this.title(verdict.replaces.source)}” was replaced.`, () => {
        // Something else may have been done since; only this is taken back.
        if (this.draft.undoLabel === `Reconnected ${words}`) this.undo()
      })
    }
    return done
  }

  reconnect(old: Edge, edge: Edge): boolean {
    if (same(old, edge)) return false
    const { graph, verdict } = edit.reconnect(this.graph, this.catalog, old, edge)
    if (!verdict.ok) {
      this.refuse(verdict.reason)
      return false
    }
    return this.change(graph, `Reconnected ${this.title(edge.source)} → ${this.title(edge.target)}`)
  }

  /** Says why a wire was not drawn: seen as a message, heard in the live region. */
  refuse(reason: string): void {
    this.host.refuse(reason)
    this.announce(`Not connected. ${reason}`)
  }

  why(edge: Edge): string {
    const verdict = canConnect(this.graph, this.catalog, edge)
    return verdict.ok ? '' : verdict.reason
  }

  portTitle(edge: Edge): string {
    return inputPort(this.catalog, this.graph.steps[edge.target], edge.port)?.title ?? edge.port
  }

  edgeLabel(edge: Edge): string {
    const output = outputPort(this.catalog, this.graph.steps[edge.source], edge.output)
    return `${output?.title ?? edge.output} of ${this.title(edge.source)} to ${this.portTitle(edge)} of ${this.title(edge.target)}`
  }

  removeSelected(): void {
    const keys = new Set(this.selected)
    const edges = this.selectedEdges
    if (keys.size === 0 && edges.length === 0) return
    const names = keys.size === 1 ? this.title([...keys][0] as string) : keys.size > 1 ? `${keys.size} steps` : edges.length === 1 ? 'a wire' : `${edges.length} wires`
    if (this.change(edit.remove(edit.disconnect(this.graph, edges), keys), `Deleted ${names}`)) this.select([])
  }
}
