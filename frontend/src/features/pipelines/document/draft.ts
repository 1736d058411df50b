/**
 * The draft being edited: a Yjs document seen as an immutable graph, with undo of one's own changes.
 *
 * Every change goes through `apply` with the words that undo and the live region will say. Changes with the same
 * `together` that follow each other within a second and a half are one step of undo (typing into a field).
 */
import * as Y from 'yjs'

import { repair } from '../graph/edit'
import { EMPTY, type Graph, type Step } from '../graph/types'
import { declaredIn, readDeclared, readStep, stepsOf, writeGraph, type Steps } from './ydoc'

const LOCAL = Symbol('local')
const TOGETHER_MS = 1500

export class Draft {
  readonly doc: Y.Doc
  private readonly steps: Steps
  private readonly manager: Y.UndoManager
  private readonly listeners = new Set<() => void>()
  private graph: Graph = EMPTY
  private read: Record<string, Step> = {}
  private last = { together: '', at: 0 }
  private label = ''
  private version = 0

  constructor(doc: Y.Doc = new Y.Doc()) {
    this.doc = doc
    this.steps = stepsOf(doc)
    // The manager never decides by time what belongs together: `apply` does.
    this.manager = new Y.UndoManager([this.steps, declaredIn(doc)], { trackedOrigins: new Set([LOCAL]), captureTimeout: Number.MAX_SAFE_INTEGER })
    this.manager.on('stack-item-added', (event: { stackItem: { meta: Map<unknown, unknown> } }) => {
      if (!event.stackItem.meta.has('label')) event.stackItem.meta.set('label', this.label)
    })
    this.steps.observeDeep((events) => {
      const touched = new Set<string>()
      for (const event of events) {
        if (event.target === this.steps) for (const key of event.keys.keys()) touched.add(key)
        else touched.add(String(event.path[0]))
      }
      this.refresh(touched)
    })
    declaredIn(doc).observeDeep(() => this.refresh([]))
    this.refresh(this.steps.keys())
  }

  getGraph = (): Graph => this.graph

  /** Counts changes: cheap to compare. */
  getVersion = (): number => this.version

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  apply(next: Graph, label: string, together = ''): void {
    if (next === this.graph) return
    const now = Date.now()
    if (!together || together !== this.last.together || now - this.last.at > TOGETHER_MS) this.manager.stopCapturing()
    this.last = { together, at: now }
    this.label = label
    const before = this.graph
    this.doc.transact(() => writeGraph(this.doc, before, next), LOCAL)
  }

  /** Puts another graph in place without making it a step of undo: loading, taking over the server's draft. */
  load(next: Graph): void {
    this.doc.transact(() => writeGraph(this.doc, this.graph, next), this)
  }

  get canUndo(): boolean {
    return this.manager.undoStack.length > 0
  }

  get canRedo(): boolean {
    return this.manager.redoStack.length > 0
  }

  /** What would be undone, in words. */
  get undoLabel(): string {
    return String(this.manager.undoStack.at(-1)?.meta.get('label') ?? '')
  }

  get redoLabel(): string {
    return String(this.manager.redoStack.at(-1)?.meta.get('label') ?? '')
  }

  undo(): string {
    const label = this.undoLabel
    this.label = label
    this.last = { together: '', at: 0 }
    this.manager.undo()
    this.tell()
    return label
  }

  redo(): string {
    const label = this.redoLabel
    this.label = label
    this.last = { together: '', at: 0 }
    this.manager.redo()
    this.tell()
    return label
  }

  destroy(): void {
    this.manager.destroy()
    this.doc.destroy()
    this.listeners.clear()
  }

  private refresh(keys: Iterable<string>): void {
    const steps = { ...this.read }
    for (const key of keys) {
      const map = this.steps.get(key)
      if (map instanceof Y.Map) steps[key] = readStep(map)
      else delete steps[key]
    }
    this.read = steps
    const parameters = readDeclared(declaredIn(this.doc))
    this.graph = repair(Object.keys(parameters).length > 0 ? { steps, parameters } : { steps })
    this.tell()
  }

  private tell(): void {
    this.version += 1
    for (const listener of this.listeners) listener()
  }
}
