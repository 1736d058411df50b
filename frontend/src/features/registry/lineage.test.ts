import { expect, it } from 'vitest'
import { origins, withoutArtifacts, type Lineage } from './lineage'

const node = (id: string, type: Lineage['nodes'][number]['type'], label = id) => ({ id, type, label, href: '' })
const lineage: Lineage = {
  nodes: [
    node('data', 'dataset_version'),
    node('read2', 'step_run', 'read · run #2'),
    node('read5', 'step_run', 'read · run #5'),
    node('rows', 'artifact'),
    node('train2', 'step_run', 'train · run #2'),
    node('weights', 'artifact'),
    node('model', 'model_version'),
  ],
  edges: [['data', 'read2'], ['data', 'read5'], ['data', 'rows'], ['read2', 'rows'], ['read5', 'rows'], ['rows', 'train2'], ['train2', 'weights'], ['weights', 'model']],
}

it('leaves out the runs that only reused what was there', () => {
  const shown = origins(lineage)
  expect(shown.nodes.map((n) => n.id)).toEqual(['data', 'read2', 'rows', 'train2', 'weights', 'model'])
  expect(shown.edges).toEqual([['data', 'read2'], ['read2', 'rows'], ['rows', 'train2'], ['train2', 'weights'], ['weights', 'model']])
})

it('joins steps where an artifact only passed between them', () => {
  const shown = withoutArtifacts(origins(lineage), 'model')
  expect(shown.nodes.map((n) => n.id)).toEqual(['data', 'read2', 'train2', 'model'])
  expect(shown.edges).toEqual([['data', 'read2'], ['read2', 'train2'], ['train2', 'model']])
})
