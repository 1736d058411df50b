import { describe, expect, it } from 'vitest'

import { box, control, schema } from './fixture'
import { problems } from './problems'
import { copied, drawnRegions, entriesOf, equalResults, newId, toggledChoice, withAnswer, withGeometry, withoutRegions, withRelation, withTurned, type Region, type Relation, type Result } from './result'

const SEEN = control('seen', 'Choices', ['Whole', 'Cut'], { per_region: true, required: true })
const CONFIG = schema('Image', control('box', 'RectangleLabels', ['Car', 'Person']), SEEN, control('weather', 'Choices', ['Sun', 'Rain'], { required: true, required_message: 'What is the weather?' }))

describe('regions', () => {
  it('have their attributes beside them and their label’s colour', () => {
    const result = withAnswer([box('aaaaaaaaaa'), box('bbbbbbbbbb', 'Person')], SEEN, { choices: ['Cut'] }, 'aaaaaaaaaa')
    expect(result.map((entry) => (entry.type === 'relation' ? '' : (entry as { id: string }).id))).toEqual(['aaaaaaaaaa', 'aaaaaaaaaa', 'bbbbbbbbbb'])
    const [first] = drawnRegions(CONFIG, result)
    expect(first).toMatchObject({ id: 'aaaaaaaaaa', kind: 'rectangle', labels: ['Car'], color: '#e11d48' })
    expect(first!.attributes).toHaveLength(1)
  })

  it('that did not change are the same objects', () => {
    const before: Result = [box('aaaaaaaaaa'), box('bbbbbbbbbb')]
    const after = withGeometry(before, 'aaaaaaaaaa', { x: 50 })
    expect(drawnRegions(CONFIG, after)[1]).toBe(drawnRegions(CONFIG, before)[1])
    expect(drawnRegions(CONFIG, after)[0]).not.toBe(drawnRegions(CONFIG, before)[0])
  })

  it('named by Labels beside a bare shape carry those labels, and both move', () => {
    const config = schema('Image', control('name', 'Labels', ['Car']), control('box', 'Rectangle'))
    const place = { x: 1, y: 2, width: 3, height: 4, rotation: 0 }
    const result: Result = [
      { id: 'aaaaaaaaaa', from_name: 'box', to_name: 'it', type: 'rectangle', value: place },
      { id: 'aaaaaaaaaa', from_name: 'name', to_name: 'it', type: 'labels', value: { ...place, labels: ['Car'] } },
    ]
    expect(drawnRegions(config, result)).toHaveLength(1)
    expect(drawnRegions(config, result)[0]!.labels).toEqual(['Car'])
    expect(withGeometry(result, 'aaaaaaaaaa', { ...place, x: 9 }).map((entry) => (entry as Region).value.x)).toEqual([9, 9])
  })

  it('moving one leaves an attribute’s own text alone', () => {
    const note = control('note', 'TextArea', [], { per_region: true })
    const result = withAnswer([box('aaaaaaaaaa')], note, { text: ['odd'] }, 'aaaaaaaaaa')
    expect(withGeometry(result, 'aaaaaaaaaa', { x: 3 })[1]).toBe(result[1])
  })

  it('suggested by a model say when a person changed them', () => {
    const [moved] = withGeometry([box('aaaaaaaaaa', 'Car', { origin: 'prediction' })], 'aaaaaaaaaa', { x: 3 })
    expect(moved).toMatchObject({ origin: 'prediction-changed' })
    expect(withGeometry([box('aaaaaaaaaa')], 'aaaaaaaaaa', { x: 3 })[0]).toMatchObject({ origin: 'manual' })
  })

  it('go with their attributes and relations', () => {
    const result = withRelation(withAnswer([box('aaaaaaaaaa'), box('bbbbbbbbbb')], SEEN, { choices: ['Cut'] }, 'aaaaaaaaaa'), 'aaaaaaaaaa', 'bbbbbbbbbb')
    expect(withoutRegions(result, new Set(['aaaaaaaaaa']))).toEqual([box('bbbbbbbbbb')])
    expect(withoutRegions(result, new Set(['nobody']))).toBe(result)
  })

  it('are copied with attributes and the relations among them, under new ids', () => {
    const result = withRelation(withAnswer([box('aaaaaaaaaa'), box('bbbbbbbbbb')], SEEN, { choices: ['Cut'] }, 'aaaaaaaaaa'), 'aaaaaaaaaa', 'bbbbbbbbbb')
    const both = copied(entriesOf(result, new Set(['aaaaaaaaaa', 'bbbbbbbbbb'])))
    expect(both.entries).toHaveLength(4)
    expect(both.entries[3]).toMatchObject({ type: 'relation', from_id: both.ids[0], to_id: both.ids[1] })
    expect(copied(entriesOf(result, new Set(['aaaaaaaaaa']))).entries).toHaveLength(2)
  })
})

it('ids are long enough and of letters that Label Studio takes', () => {
  const ids = Array.from({ length: 1000 }, newId)
  expect(new Set(ids).size).toBe(1000)
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{10,}$/)
})

it('choices replace one another, join where several may be, and are taken back', () => {
  expect(toggledChoice(['Sun'], 'Rain', false)).toEqual(['Rain'])
  expect(toggledChoice(['Sun'], 'Rain', true)).toEqual(['Sun', 'Rain'])
  expect(toggledChoice(['Sun'], 'Sun', false)).toEqual([])
})

it('relations are made once, turn round, and never lead back to the same region', () => {
  const made = withRelation([box('aaaaaaaaaa'), box('bbbbbbbbbb')], 'aaaaaaaaaa', 'bbbbbbbbbb')
  expect(withRelation(made, 'bbbbbbbbbb', 'aaaaaaaaaa')).toBe(made)
  expect(withRelation(made, 'aaaaaaaaaa', 'aaaaaaaaaa')).toBe(made)
  const directions: string[] = []
  let result: Result = made
  for (let turn = 0; turn < 3; turn++) {
    result = withTurned(result, result[2] as Relation)
    directions.push((result[2] as Relation).direction)
  }
  expect(directions).toEqual(['left', 'bi', 'right'])
})

it('equality looks at what is said, not at who wrote it', () => {
  expect(equalResults([box('aaaaaaaaaa')], [structuredClone(box('aaaaaaaaaa'))])).toBe(true)
  expect(equalResults([box('aaaaaaaaaa')], [box('aaaaaaaaaa', 'Person')])).toBe(false)
  expect(equalResults([box('aaaaaaaaaa')], [])).toBe(false)
})

describe('what is missing', () => {
  it('is said for the item and for each region', () => {
    const result = withAnswer([box('aaaaaaaaaa'), box('bbbbbbbbbb', 'Person')], SEEN, { choices: ['Cut'] }, 'aaaaaaaaaa')
    expect(problems(CONFIG, result)).toEqual([
      { control: 'seen', region: 'bbbbbbbbbb', message: 'Choose an answer for “seen” of Person.' },
      { control: 'weather', message: 'What is the weather?' },
    ])
  })

  it('an empty text and no stars are no answer', () => {
    const config = schema('Text', control('note', 'TextArea', [], { required: true }), control('stars', 'Rating', [], { required: true }), control('years', 'Number', [], { required: true }))
    const said = (control: string, type: string, value: Record<string, unknown>) => ({ id: `id-of-${control}`, from_name: control, to_name: 'it', type, value })
    expect(problems(config, [said('note', 'textarea', { text: [''] }), said('stars', 'rating', { rating: 0 }), said('years', 'number', { number: 0 })]).map((one) => one.control)).toEqual(['note', 'stars'])
  })

  it('labels that are required need a region', () => {
    const config = schema('Image', control('box', 'RectangleLabels', ['Car'], { required: true }))
    expect(problems(config, [])).toEqual([{ control: 'box', message: 'Mark at least one region for “box”.' }])
    expect(problems(config, [box('aaaaaaaaaa')])).toEqual([])
    const mask = (bytes: number): Region => ({ id: 'mask', from_name: 'area', to_name: 'image', type: 'brushlabels', value: { format: 'rle', rle: new Array<number>(bytes).fill(0), brushlabels: ['Rust'] } })
    expect(problems({ ...config, controls: [] }, [mask(1_000_000)])).toEqual([])
    expect(problems({ ...config, controls: [] }, [mask(1_000_001)])).toMatchObject([{ control: 'area', region: 'mask', message: expect.stringContaining('1,000,001 bytes') as string }])
  })
})
