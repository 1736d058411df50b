import { describe, expect, it } from 'vitest'

import { missingPorts, searchComponents } from './catalog'
import { copyText, duplicate, parseClipboard, paste } from './clipboard'
import { canConnect, fittingComponents, fittingPorts, recommend, successorCounts } from './connect'
import { diff, sameMeaning } from './diff'
import { addConnected, addStep, bypass, connect, disconnect, insertOnEdge, move, reconnect, remove, renameKey, repair, setParameters } from './edit'
import { catalog, graph } from './fixture'
import { freeSpot, portSpots, stepSize } from './geometry'
import { uniqueKey } from './keys'
import { placed, tidy } from './layout'
import { merge } from './merge'
import { topological } from './order'
import { edgesOf, makeStep, normalise, toApi, type Component, type Graph } from './types'
import { next, walk } from './walk'

const part = (name: string) => catalog.components.get(name) as Component
const reason = (edge: Parameters<typeof canConnect>[2], on: Graph = graph) => {
  const verdict = canConnect(on, catalog, edge)
  return verdict.ok ? '' : verdict.reason
}

describe('a wire that does not fit is refused with the reason', () => {
  it('names both kinds when they differ', () => {
    const images = addStep(graph, catalog, part('read_images'), { x: 0, y: 400 })
    expect(reason({ source: images.key, output: 'images', target: 'forest', port: 'table' }, images.graph)).toBe(
      '“Table” of “Random forest” takes a Table; “Images” of “Read images” gives a set of images.',
    )
  })

  it('refuses circles, oneself, doubles and ports that do not exist', () => {
    const cleaned = insertOnEdge(graph, catalog, { source: 'read', output: 'table', target: 'split', port: 'table' }, part('clean'), 'Table')
    expect(cleaned).not.toBeNull()
    expect(reason({ source: 'split', output: 'train', target: 'clean', port: 'table' }, cleaned?.graph)).toContain('circle')
    expect(reason({ source: 'split', output: 'train', target: 'split', port: 'table' })).toContain('itself')
    expect(reason({ source: 'read', output: 'table', target: 'split', port: 'table' })).toContain('already connected')
    expect(reason({ source: 'read', output: 'nothing', target: 'split', port: 'table' })).toContain('no output')
  })

  it('lets a port that takes one wire change it, and a port that takes many keep all', () => {
    const moved = connect(graph, catalog, { source: 'read', output: 'table', target: 'forest', port: 'table' })
    expect(moved.verdict).toEqual({ ok: true, replaces: { source: 'split', output: 'train', target: 'forest', port: 'table' } })
    expect(moved.graph.steps.forest?.inputs.table).toEqual([{ step: 'read', output: 'table' }])

    let many = addStep(graph, catalog, part('compare'), { x: 0, y: 0 }).graph
    many = addConnected(many, catalog, part('train_forest'), { step: 'split', port: 'train', side: 'output' }, 'Table').graph
    many = connect(many, catalog, { source: 'forest', output: 'model', target: 'compare', port: 'models' }).graph
    many = connect(many, catalog, { source: 'train_forest', output: 'model', target: 'compare', port: 'models' }).graph
    expect(many.steps.compare?.inputs.models).toHaveLength(2)
  })
})

describe('connecting without dragging', () => {
  it('lists only ports that fit, free ones first', () => {
    const fits = fittingPorts(graph, catalog, { step: 'split', port: 'test', side: 'output' })
    expect(fits.map((fit) => `${fit.step}.${fit.port.name}`)).toEqual(["forest.validation", "forest.table"])
    expect(fits[0]?.free).toBe(true)
  })

  it('recommends what follows in templates before anything else', () => {
    const counts = successorCounts([graph])
    const after = recommend(catalog, fittingComponents(catalog, 'Table', 'output'), part('split'), counts)
    expect(after.map((item) => item.name).slice(0, 2)).toEqual(['train_forest', 'evaluate'])
    expect(after.some((item) => item.name === 'compare')).toBe(false)
  })

  it('wires a component picked for a dropped wire', () => {
    const added = addConnected(graph, catalog, part('clean'), { step: 'split', port: 'test', side: 'output' }, 'Table')
    expect(added.graph.steps[added.key]?.inputs.table).toEqual([{ step: 'split', output: 'test' }])
    const fed = addConnected(addStep({ steps: {} }, catalog, part('clean'), { x: 0, y: 0 }).graph, catalog, part('read_table'), { step: 'clean', port: 'table', side: 'input' }, 'Table')
    expect(fed.graph.steps.clean?.inputs.table).toEqual([{ step: 'read_table', output: 'table' }])
  })
})

describe('editing', () => {
  it('shares every step it did not touch', () => {
    const changed = setParameters(graph, 'split', { test_share: 0.3 })
    expect(changed.steps.read).toBe(graph.steps.read)
    expect(changed.steps.split).not.toBe(graph.steps.split)
    expect(move(graph, { read: { x: 0, y: 0 } })).toBe(graph)
  })

  it('starts a new step with nothing set, on a free spot', () => {
    const added = addStep(graph, catalog, part('clean'), { x: 0, y: 0 })
    expect(added.graph.steps.clean?.parameters).toEqual({})
    expect(added.graph.steps.clean?.position?.y).toBeGreaterThan(0)
    expect(missingPorts(catalog, added.graph.steps.clean!).map((port) => port.name)).toEqual(['table'])
  })

  it('removes a step with its wires, or joins what it stood between', () => {
    const gone = remove(graph, new Set(['split']))
    expect(gone.steps.forest?.inputs).toEqual({})
    const cleaned = insertOnEdge(graph, catalog, { source: 'read', output: 'table', target: 'split', port: 'table' }, part('clean'), 'Table')!
    expect(edgesOf(cleaned.graph)).toHaveLength(edgesOf(graph).length + 1)
    expect(bypass(cleaned.graph, catalog, 'clean').steps.split?.inputs).toEqual(graph.steps.split?.inputs)
  })

  it('keeps the old wire when the new end does not fit', () => {
    const old = { source: 'split', output: 'test', target: 'scores', port: 'table' }
    expect(reconnect(graph, catalog, old, { ...old, port: 'model' }).graph).toBe(graph)
    const there = reconnect(graph, catalog, old, { ...old, target: 'forest', port: 'validation' })
    expect(there.graph.steps.scores?.inputs.table).toBeUndefined()
    expect(there.graph.steps.forest?.inputs.validation).toEqual([{ step: 'split', output: 'test' }])
  })

  it('follows a renamed key and repairs wires to steps that are gone', () => {
    expect(renameKey(graph, 'split', 'halves').steps.forest?.inputs.table).toEqual([{ step: 'halves', output: 'train' }])
    expect(renameKey(graph, 'split', 'read')).toBe(graph)
    const broken: Graph = { steps: { forest: graph.steps.forest! } }
    expect(repair(broken).steps.forest?.inputs).toEqual({})
    expect(repair(graph)).toBe(graph)
    expect(disconnect(graph, [{ source: 'x', output: 'y', target: 'forest', port: 'table' }])).toBe(graph)
  })
})

describe('copy and paste', () => {
  it('renames steps, keeps wires among them and to their common source', () => {
    const copy = duplicate(graph, catalog, new Set(['forest', 'scores']))
    expect(copy.keys).toEqual(['forest_2', 'scores_2'])
    expect(copy.graph.steps.scores_2?.inputs).toEqual({ model: [{ step: 'forest_2', output: 'model' }], table: [{ step: 'split', output: 'test' }] })
  })

  it('drops wires from outside in another pipeline, and ignores other texts', () => {
    const copied = parseClipboard(copyText(graph, new Set(['forest'])))!
    expect(paste({ steps: {} }, catalog, copied, { x: 400, y: 400 }).graph.steps.forest?.inputs).toEqual({})
    for (const text of ["hello", "{}", '{"format":"headrace-steps/1"}', "{", '{"format":"other","steps":{}}']) expect(parseClipboard(text)).toBeNull()
  })

  it('never makes a key twice nor one the server would refuse', () => {
    expect(uniqueKey(['split', 'split_2'], 'split')).toBe('split_3')
    expect(uniqueKey(['split_2'], 'split_2')).toBe('split_3')
    expect(uniqueKey([], '9 Größe!')).toMatch(/^[a-z][a-z0-9_]{0,59}$/)
    expect(uniqueKey(['a'.repeat(60)], 'a'.repeat(80))).toHaveLength(60)
  })
})

describe('layout', () => {
  it('puts every step after what feeds it, covering nothing', () => {
    const spots = tidy(graph, catalog)
    for (const edge of edgesOf(graph)) expect(spots[edge.target]!.x).toBeGreaterThan(spots[edge.source]!.x)
    expect(tidy({ steps: {} }, catalog)).toEqual({})
  })

  it('places only what has no place yet', () => {
    const half: Graph = { steps: { ...graph.steps, extra: makeStep('clean') } }
    const all = placed(half, catalog)
    expect(all.steps.read).toBe(graph.steps.read)
    expect(all.steps.extra?.position?.y).toBeGreaterThan(120)
    expect(placed(graph, catalog)).toBe(graph)
  })

  it('lays out 1,000 steps', () => {
    let previous = ''
    const steps: Record<string, Graph['steps'][string]> = {}
    for (let index = 0; index < 1000; index++) {
      const key = `clean_${index}`
      steps[key] = makeStep('clean', { inputs: previous && index % 10 !== 0 ? { table: [{ step: previous, output: 'table' }] } : {} })
      previous = key
    }
    expect(Object.keys(tidy({ steps }, catalog))).toHaveLength(1000)
  })

  it("finds a spot that covers no step, and handles lie on the step's edges", () => {
    const spot = freeSpot(graph, catalog, { x: 10, y: 10 })
    expect(spot.y).toBeGreaterThanOrEqual(stepSize(catalog, graph.steps.read!).height)
    expect(portSpots(catalog, graph.steps.split!).map((port) => `${port.side}:${port.name}`)).toEqual(["input:table", "output:train", "output:test"])
  })
})

describe('walking with the arrow keys', () => {
  it('follows wires left and right, and geometry otherwise', () => {
    expect(walk(graph, catalog, null, 'right')).toBe('read')
    expect(walk(graph, catalog, 'read', 'right')).toBe('split')
    expect(walk(graph, catalog, 'split', 'left')).toBe('read')
    expect(walk(graph, catalog, 'scores', 'right')).toBeNull()
    expect(walk(graph, catalog, 'forest', 'down')).toBe('scores')
    expect(next(graph, catalog, 'scores', 1)).toBe('read')
    expect(next(graph, catalog, null, -1)).toBe('scores')
  })
})

describe('comparing', () => {
  it('lists changes in words and puts moves last', () => {
    let now = setParameters(graph, 'split', { test_share: 0.3 })
    now = remove(now, new Set(['scores']))
    now = addStep(now, catalog, part('clean'), { x: 0, y: 900 }).graph
    now = move(now, { read: { x: 8, y: 8 } })
    const changes = diff(graph, now, catalog)
    expect(changes.map((change) => change.kind)).toEqual(['added', 'removed', 'parameter', 'unwired', 'unwired', 'moved'])
    expect(changes.find((change) => change.kind === 'parameter')?.text).toBe('Test share: 0.2 → 0.3')
    expect(sameMeaning(graph, move(graph, { read: { x: 8, y: 8 } }), catalog)).toBe(true)
    expect(sameMeaning(graph, now, catalog)).toBe(false)
  })

  it("merges two people's changes, mine where both changed the same", () => {
    const mine = setParameters(graph, 'split', { test_share: 0.3 })
    const theirs = addStep(move(setParameters(graph, 'split', { test_share: 0.5, seed: 1 }), { read: { x: 80, y: 0 } }), catalog, part('clean'), { x: 0, y: 900 }).graph
    const both = merge(graph, mine, theirs)
    expect(both.steps.split?.parameters).toEqual({ test_share: 0.3, seed: 1 })
    expect(both.steps.clean).toBeDefined()
    expect(both.steps.read?.position).toEqual({ x: 80, y: 0 })
    expect(merge(graph, remove(graph, new Set(['scores'])), graph).steps.scores).toBeUndefined()
  })

  it('orders steps so that they could run, and survives the API round trip', () => {
    expect(topological(graph)).toEqual(['read', 'split', 'forest', 'scores'])
    expect(normalise(toApi(graph))).toEqual(graph)
  })
})

describe('searching the palette', () => {
  it('finds by every word, titles first', () => {
    expect(searchComponents(catalog, 'read').map((item) => item.name)).toEqual(['read_table', 'read_images'])
    expect(searchComponents(catalog, 'images model')).toEqual([])
    expect(searchComponents(catalog, '')).toHaveLength(catalog.components.size)
  })
})
