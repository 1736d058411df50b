/** How steps are run, in the graph and in its live document: mapped, repeated, undone; the pipeline's own parameters. */
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'

import { Draft } from '../document/draft'
import { kindOf } from './catalog'
import { copyText, parseClipboard, paste } from './clipboard'
import { canConnect, fittingPort } from './connect'
import { diff, sameMeaning } from './diff'
import { connect, setDeclared, setFlow, setParameters } from './edit'
import { catalog, graph } from './fixture'
import { flowBadges, undoingComponents } from './flow'
import { outputKind } from './kinds'
import { merge } from './merge'
import { newerVersion, pipelineOf } from './nested'
import { makeStep, normalise, referenceIn, toApi, type Graph } from './types'

const edge = (source: string, output: string, target: string, port: string) => ({ source, output, target, port })
const mapped = setFlow(graph, 'forest', { map: { values: [{ trees: 10 }, { trees: 20 }], at_once: 2 } })

describe('lists and single things', () => {
  const pair: Graph = { steps: { ...mapped.steps, best: makeStep('compare'), again: makeStep('evaluate') } }
  it('a mapped step gives a list: it goes where many fit, and is refused with the reason elsewhere', () => {
    expect(canConnect(pair, catalog, edge('forest', 'model', 'best', 'models')).ok).toBe(true)
    const refused = canConnect(pair, catalog, edge('forest', 'model', 'again', 'model'))
    expect(refused).toEqual({ ok: false, reason: '“Random forest” is mapped and gives a list; “Model” of “Evaluate” takes one. Join the list first, or map “Evaluate” over “Model”.' })
  })
  it('a step that is mapped over that input takes the list', () => {
    const over = setFlow(pair, 'again', { map: { port: 'model' } })
    expect(canConnect(over, catalog, edge('forest', 'model', 'again', 'model')).ok).toBe(true)
    expect(canConnect(over, catalog, edge('split', 'test', 'again', 'model')).ok).toBe(false)
  })
})

describe('kinds of what is handed on', () => {
  const steps = { ...graph.steps, ask: makeStep('condition', { inputs: { value: [{ step: 'forest', output: 'model' }] } }), twice: makeStep('condition', { inputs: { value: [{ step: 'ask', output: 'then' }] } }) }
  const branch: Graph = { steps: { ...steps, into: makeStep('pipeline_input', { parameters: { kind: 'Model' } }), plain: makeStep('pipeline_input') } }
  it('follows what arrives, through several steps, and what a parameter says', () => {
    expect(outputKind(branch, catalog, 'twice', 'otherwise')).toBe('Model')
    expect(outputKind(branch, catalog, 'into', 'artifact')).toBe('Model')
    expect(outputKind(branch, catalog, 'plain', 'artifact')).toBe('Table')
    expect(canConnect(branch, catalog, edge('twice', 'then', 'split', 'table'))).toMatchObject({ ok: false })
    expect(connect(branch, catalog, edge('twice', 'then', 'scores', 'model')).verdict.ok).toBe(true)
  })
  it('are the same object each time they are read, known or not', () => {
    for (const name of ['Table', 'Artifact', 'Whatever']) expect(kindOf(catalog, name)).toBe(kindOf(catalog, name))
  })
  it('ends where steps hand on in a circle', () => {
    const circle: Graph = { steps: { a: makeStep('condition', { inputs: { value: [{ step: 'b', output: 'then' }] } }), b: makeStep('condition', { inputs: { value: [{ step: 'a', output: 'then' }] } }) } }
    expect(outputKind(circle, catalog, 'a', 'then')).toBe('Artifact')
  })
  it('a port for anything fits, but one of the very kind first', () => {
    expect(fittingPort(catalog.components.get('condition')!, 'Table', 'output')?.name).toBe('value')
    expect(fittingPort(catalog.components.get('split')!, 'Model', 'output')).toBeUndefined()
  })
})

describe('the parts of a step', () => {
  it('are absent where nothing is said, whatever the API sends for nothing', () => {
    const read = normalise({ steps: { a: { component: 'clean', map: null, repeat: { at_most: 3, until: '', carry: {} }, retry_on: [], undo: null } }, parameters: { rate: { type: 'number', title: '', description: '', default: 0, enum: null } } })
    expect(read.steps.a).toEqual(makeStep('clean', { repeat: { at_most: 3 } }))
    expect(read.parameters).toEqual({ rate: { type: 'number', default: 0 } })
    expect(normalise(toApi(read))).toEqual(read)
  })
  it('are told in words and compared', () => {
    expect(flowBadges(mapped.steps.forest!, undefined).map((badge) => [badge.sign, badge.words])).toEqual([['2', 'Mapped: once for each of 2 settings, 2 at once, all must succeed']])
    expect(diff(graph, mapped, catalog).map((change) => change.text)).toEqual(['Mapped: nothing → once for each of 2 settings, 2 at once, all must succeed'])
    expect(sameMeaning(graph, setFlow(mapped, 'forest', { map: undefined }), catalog)).toBe(true)
  })
  it('a compensation must be fed from what the step takes and gives', () => {
    const names = (component: string) => undoingComponents(catalog.components.get(component)!, catalog.components.values()).map((one) => one.name)
    expect(names('train_forest')).toContain('take_back')
    expect(names('split')).not.toContain('take_back')
  })
})

describe('in the live document', () => {
  it('travel to others, are undone, and merge with other edits of the same step', () => {
    const mine = new Draft()
    mine.load(graph)
    const theirs = new Draft(new Y.Doc())
    Y.applyUpdate(theirs.doc, Y.encodeStateAsUpdate(mine.doc))
    mine.apply(setDeclared(setFlow(mine.getGraph(), 'forest', { map: { port: 'table', size: 100 }, retry_on: ['crash'] }), { rate: { type: 'number', default: 0.1 } }), 'Mapped')
    theirs.apply(setParameters(theirs.getGraph(), 'forest', { trees: 5 }), 'Trees')
    Y.applyUpdate(theirs.doc, Y.encodeStateAsUpdate(mine.doc))
    expect(theirs.getGraph().steps.forest).toMatchObject({ map: { port: 'table', size: 100 }, retry_on: ['crash'], parameters: { trees: 5 } })
    expect(theirs.getGraph().parameters).toEqual({ rate: { type: 'number', default: 0.1 } })
    mine.undo()
    expect(mine.getGraph()).toEqual(graph)
    mine.redo()
    expect(mine.getGraph().parameters).toEqual({ rate: { type: 'number', default: 0.1 } })
  })
  it('survive copy and paste, with the parameters of the pipeline that they take', () => {
    const bound = setDeclared(setParameters(mapped, 'forest', { rate: { $parameter: 'rate' } }), { rate: { type: 'number' }, other: { type: 'string' } })
    const copied = parseClipboard(copyText(bound, new Set(['forest'])))!
    expect(Object.keys(copied.parameters ?? {})).toEqual(['rate'])
    const there = paste({ steps: {} }, catalog, copied)
    expect(there.graph.steps.forest?.map).toEqual(mapped.steps.forest?.map)
    expect(there.graph.parameters).toEqual({ rate: { type: 'number' } })
  })
  it('a three-way merge keeps both sides', () => {
    const theirs = setDeclared(graph, { rate: { type: 'number' } })
    expect(merge(graph, mapped, theirs)).toEqual({ ...mapped, parameters: { rate: { type: 'number' } } })
  })
  it('a renamed parameter is followed by the steps that take it', () => {
    const bound = setDeclared(setParameters(graph, 'read', { dataset: { $parameter: 'data' } }), { data: { type: 'string' } })
    const next = setDeclared(bound, { source: { type: 'string' } }, { from: 'data', to: 'source' })
    expect(referenceIn(next.steps.read?.parameters.dataset)).toEqual({ kind: '$parameter', name: 'source' })
  })
})

it('names of pipelines as steps are read, and a newer version is offered', () => {
  expect(pipelineOf('pipeline:clean-up@12')).toEqual({ slug: 'clean-up', version: 12 })
  expect(pipelineOf('clean')).toBeNull()
  const some = catalog.components.get('clean')!
  const known = { ...catalog, components: new Map([...catalog.components, ['pipeline:inner@1', some], ['pipeline:inner@3', some], ['pipeline:other@9', some]]) }
  expect(newerVersion(known, 'pipeline:inner@1')).toEqual({ component: 'pipeline:inner@3', version: 3 })
  expect(newerVersion(known, 'pipeline:inner@3')).toBeNull()
})
