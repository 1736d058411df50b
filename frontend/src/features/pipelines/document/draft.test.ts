import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'

import { connect, move, remove, setParameters } from '../graph/edit'
import { catalog, graph } from '../graph/fixture'
import { Draft } from './draft'

function open(): Draft {
  const draft = new Draft()
  draft.load(graph)
  return draft
}

function sync(a: Draft, b: Draft): void {
  Y.applyUpdate(b.doc, Y.encodeStateAsUpdate(a.doc))
  Y.applyUpdate(a.doc, Y.encodeStateAsUpdate(b.doc))
}

describe('a draft', () => {
  it('gives back the graph it was given, and keeps untouched steps the same object', () => {
    const draft = open()
    expect(draft.getGraph()).toEqual(graph)
    const before = draft.getGraph()
    draft.apply(setParameters(before, 'split', { test_share: 0.3 }), 'Changed Test share')
    expect(draft.getGraph().steps.split?.parameters).toEqual({ test_share: 0.3 })
    expect(draft.getGraph().steps.read).toBe(before.steps.read)
  })

  it('undoes everything with its words, typing as one step, loading not at all', () => {
    const draft = open()
    expect(draft.canUndo).toBe(false)
    for (const value of [0.2, 0.25, 0.3]) draft.apply(setParameters(draft.getGraph(), 'split', { test_share: value, a: value }), 'Changed Test share', 'split.test_share')
    draft.apply(move(draft.getGraph(), { read: { x: 80, y: 80 } }), 'Moved Read')
    draft.apply(remove(draft.getGraph(), new Set(['forest'])), 'Deleted Random forest')
    expect(draft.getGraph().steps.scores?.inputs.model).toBeUndefined()
    expect(draft.undo()).toBe('Deleted Random forest')
    expect(draft.getGraph().steps.scores?.inputs.model).toEqual([{ step: 'forest', output: 'model' }])
    expect(draft.undo()).toBe('Moved Read')
    expect(draft.undo()).toBe('Changed Test share')
    expect(draft.getGraph()).toEqual(graph)
    expect(draft.canUndo).toBe(false)
    expect(draft.redo()).toBe('Changed Test share')
    expect(draft.getGraph().steps.split?.parameters.test_share).toBe(0.3)
    expect(draft.undoLabel).toBe('Changed Test share')
  })

  it('reads whole numbers that the studio wrote', () => {
    const draft = open()
    const split = (draft.doc.getMap('steps') as Y.Map<Y.Map<unknown>>).get('split')
    split?.set('timeout_s', 60n)
    split?.set('position', { x: 8n, y: 16n })
    ;(split?.get('parameters') as Y.Map<unknown>).set('seeds', [1n, 2n])
    expect(draft.getGraph().steps.split).toMatchObject({ timeout_s: 60, position: { x: 8, y: 16 }, parameters: { seeds: [1, 2] } })
  })

  it('merges what two people do, undoes only one’s own, and hides wires to deleted steps', () => {
    const a = open()
    const b = new Draft()
    sync(a, b)
    a.apply(remove(a.getGraph(), new Set(['forest'])), 'Deleted')
    b.apply(connect(b.getGraph(), catalog, { source: 'split', output: 'test', target: 'forest', port: 'validation' }).graph, 'Connected')
    b.apply(setParameters(b.getGraph(), 'split', { test_share: 0.5 }), 'Changed')
    sync(a, b)
    expect(a.getGraph()).toEqual(b.getGraph())
    expect(a.getGraph().steps.forest).toBeUndefined()
    expect(a.getGraph().steps.scores?.inputs.model).toBeUndefined()
    a.undo()
    expect(a.getGraph().steps.split?.parameters.test_share).toBe(0.5)
    expect(a.getGraph().steps.forest).toBeDefined()
  })
})
