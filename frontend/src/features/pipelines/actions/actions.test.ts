import { beforeEach, describe, expect, it, vi } from 'vitest'

import { Editor } from '../canvas/editor'
import { Draft } from '../document/draft'
import { catalog, graph } from '../graph/fixture'
import { ACTIONS, actionsAt, type Action } from '.'
import { pasteText } from './paste'
import { actionFor, placeOf } from './keyboard'

const byId = (id: string) => ACTIONS.find((action) => action.id === id) as Action
const key = (keys: Partial<KeyboardEvent>) => ({ key: '', code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...keys }) as KeyboardEvent

let editor: Editor
let said: string[]

beforeEach(() => {
  const draft = new Draft()
  draft.load(graph)
  said = []
  editor = new Editor(draft, { refuse: (message) => said.push(message), tell: (message) => said.push(message) })
  editor.set({ catalog, readOnly: false })
})

describe('the registry', () => {
  it('has no two commands with one id or one key, and every menu has something', () => {
    const ids = ACTIONS.map((action) => action.id)
    expect(new Set(ids).size).toBe(ids.length)
    const keys = ACTIONS.flatMap((action) => action.keys.map((chord) => chord.toLowerCase()))
    expect(keys.filter((chord, index) => keys.indexOf(chord) !== index)).toEqual([])
    for (const place of ['toolbar', 'step', 'edge', 'canvas', 'more'] as const) expect(actionsAt(place).length).toBeGreaterThan(1)
  })

  it('changes nothing in a read-only view, whatever command is given', () => {
    editor.select(Object.keys(graph.steps))
    editor.set({ readOnly: true })
    const before = editor.graph
    for (const action of ACTIONS) if (action.available(editor)) action.run(editor)
    expect(editor.graph).toBe(before)
  })

  it('leaves fields, buttons and dialogs their own keys', () => {
    const input = document.createElement('input')
    const button = document.createElement('button')
    document.body.append(input, button)
    expect(actionFor(key({ key: 'c', code: 'KeyC', ctrlKey: true }), placeOf(input))).toBeNull()
    expect(actionFor(key({ key: 'Enter', ctrlKey: true }), placeOf(input))?.id).toBe('pipeline.run')
    expect(actionFor(key({ key: 'Enter' }), placeOf(button))).toBeNull()
    expect(actionFor(key({ key: 'z', code: 'KeyZ', ctrlKey: true }), placeOf(button))?.id).toBe('pipeline.undo')
    expect(actionFor(key({ key: 'c', code: 'KeyC' }), 'canvas')?.id).toBe('pipeline.connect')
    expect(actionFor(key({ key: 'Z', code: 'KeyZ', ctrlKey: true, shiftKey: true }), 'canvas')?.id).toBe('pipeline.redo')
    expect(actionFor(key({ key: 'c' }), 'dialog')).toBeNull()
  })
})

describe('commands', () => {
  it('walk with the arrows and say where they are', () => {
    byId('pipeline.walk-right').run(editor)
    byId('pipeline.walk-right').run(editor)
    expect(editor.current).toBe('split')
    expect(editor.state.said).toBe('Split, step 2 of 4')
    byId('pipeline.nudge-down').run(editor)
    expect(editor.graph.steps.split?.position).toEqual({ x: 320, y: 24 })
    expect(editor.state.said).toBe('Moved Split down.')
  })

  it('delete, undo and redo in words, and never keep a selection of what is gone', () => {
    editor.select(['forest'])
    byId('pipeline.delete').run(editor)
    expect(editor.graph.steps.forest).toBeUndefined()
    expect(editor.state.steps.size).toBe(0)
    byId('pipeline.undo').run(editor)
    expect(editor.graph).toEqual(graph)
    expect(editor.state.said).toBe('Undone: Deleted Random forest.')
    expect(editor.selected).toEqual(['forest'])
    byId('pipeline.redo').run(editor)
    expect(editor.graph.steps.forest).toBeUndefined()
    byId('pipeline.undo').run(editor)
    editor.select(['forest'])
    byId('pipeline.duplicate').run(editor)
    const added = editor.selected
    byId('pipeline.undo').run(editor)
    expect(editor.selected).toEqual([])
    byId('pipeline.redo').run(editor)
    expect(editor.selected).toEqual(added)
  })

  it('copy to the clipboard as text that pastes here and elsewhere', async () => {
    const write = vi.fn<(text: string) => Promise<void>>().mockResolvedValue(undefined)
    vi.stubGlobal('navigator', { clipboard: { writeText: write, readText: () => Promise.resolve('') } })
    editor.select(['forest', 'scores'])
    byId('pipeline.copy').run(editor)
    expect(pasteText(editor, write.mock.calls[0]?.[0] ?? '')).toBe(true)
    expect(editor.selected).toEqual(['forest_2', 'scores_2'])
    expect(pasteText(editor, 'not steps')).toBe(false)
    vi.unstubAllGlobals()
  })

  it('connect says why not, and offers to undo a wire that took the place of another', () => {
    expect(editor.connect({ source: 'scores', output: 'x', target: 'read', port: 'y' })).toBe(false)
    expect(said.at(-1)).toContain('no output')
    expect(editor.state.said).toContain('Not connected.')
    expect(editor.connect({ source: 'read', output: 'table', target: 'forest', port: 'table' })).toBe(true)
    expect(said.at(-1)).toBe('“Table” of “Random forest” takes one wire: the one from “Split” was replaced.')
  })

  it('click-to-connect marks the ports that fit', () => {
    editor.start({ step: 'split', port: 'test', side: 'output' }, 'click')
    expect([...editor.state.fits]).toEqual(['forest.validation', 'forest.table'])
    expect(editor.state.said).toContain('choose one of 2 fitting ports')
    editor.stop()
    expect(editor.state.pending).toBeNull()
  })

  it('an added component continues the selected step where it fits', () => {
    editor.select(['split'])
    const evaluate = catalog.components.get('evaluate')!
    editor.add(evaluate, { end: editor.naturalEnd(evaluate) })
    expect(editor.graph.steps.evaluate_2 ?? editor.graph.steps.evaluate).toMatchObject({ inputs: { table: [{ step: 'split', output: 'train' }] } })
    expect(editor.current).toBe('evaluate')
  })
})
