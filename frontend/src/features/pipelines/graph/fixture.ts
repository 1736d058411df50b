/** A small catalogue and graph for the tests of this folder. */
import { type Catalog, readCatalog } from './catalog'
import { makeStep, type Graph, type Port } from './types'

const port = (name: string, kind: string, more: Partial<Port> = {}): Port => ({ name, kind, title: name[0]?.toUpperCase() + name.slice(1), help: '', required: true, many: false, ...more })

const component = (name: string, title: string, stage: string, inputs: Port[], outputs: Port[], properties: Record<string, unknown> = {}) => ({
  name,
  title,
  stage,
  summary: `${title}.`,
  help: '',
  inputs,
  outputs,
  parameters: { type: 'object', properties },
  resources: 'cpu' as const,
  cacheable: true,
  changes: false,
  passes: {} as Record<string, string>,
  undo: '',
  version: '1',
})

export const catalog: Catalog = readCatalog({
  stages: [
    { name: 'data', title: 'Data' },
    { name: 'train', title: 'Train' },
    { name: 'evaluate', title: 'Evaluate' },
  ],
  kinds: [
    { name: 'Table', title: 'Table', color: '#1c7ed6', shape: 'circle', help: '' },
    { name: 'Images', title: 'set of images', color: '#0ca678', shape: 'square', help: '' },
    { name: 'Model', title: 'Model', color: '#ae3ec9', shape: 'hexagon', help: '' },
  ],
  components: [
    component('read_table', 'Read a table', 'data', [], [port('table', 'Table')], { dataset: { type: 'string', title: 'Data set' } }),
    component('read_images', 'Read images', 'data', [], [port('images', 'Images')]),
    component('clean', 'Clean', 'data', [port('table', 'Table')], [port('table', 'Table')], { duplicates: { type: 'boolean', default: true, title: 'Drop duplicates' } }),
    component('split', 'Split', 'data', [port('table', 'Table')], [port('train', 'Table'), port('test', 'Table')], { test_share: { type: 'number', default: 0.2, title: 'Test share' } }),
    component('train_forest', 'Random forest', 'train', [port('table', 'Table'), port('validation', 'Table', { required: false })], [port('model', 'Model')]),
    component('evaluate', 'Evaluate', 'evaluate', [port('model', 'Model'), port('table', 'Table')], []),
    { ...component('condition', 'Condition', 'evaluate', [port('value', 'Artifact')], [port('then', 'Artifact'), port('otherwise', 'Artifact')]), passes: { then: 'value', otherwise: 'value' } },
    { ...component('pipeline_input', 'Pipeline input', 'evaluate', [port('default', 'Artifact', { required: false })], [port('artifact', 'Artifact')], { kind: { type: 'string', default: 'Table' } }), passes: { artifact: '@kind' } },
    component('take_back', 'Take back', 'evaluate', [port('model', 'Model')], [], { reason: { type: 'string' } }),
    component('compare', 'Compare models', 'evaluate', [port('models', 'Model', { many: true })], [port('best', 'Model')]),
  ],
})

export const graph: Graph = {
  steps: {
    read: makeStep('read_table', { position: { x: 0, y: 0 }, parameters: { dataset: 'adult@1' } }),
    split: makeStep('split', { position: { x: 320, y: 0 }, inputs: { table: [{ step: 'read', output: 'table' }] }, parameters: { test_share: 0.2 } }),
    forest: makeStep('train_forest', { position: { x: 640, y: 0 }, inputs: { table: [{ step: 'split', output: 'train' }] } }),
    scores: makeStep('evaluate', { position: { x: 960, y: 120 }, inputs: { model: [{ step: 'forest', output: 'model' }], table: [{ step: 'split', output: 'test' }] } }),
  },
}
