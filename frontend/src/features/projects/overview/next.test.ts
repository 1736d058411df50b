import { expect, test } from 'vitest'
import { nextStep } from './next'

const none = { datasets: 0, pipelines: 0, runs: 0, models: 0, endpoints: 0 }

test('a person is always told the next step of the route', () => {
  expect(nextStep(none)).toBe('upload')
  expect(nextStep({ ...none, datasets: 1 })).toBe('pipeline')
  expect(nextStep({ ...none, pipelines: 1 })).toBe('upload')
  expect(nextStep({ ...none, datasets: 1, pipelines: 1 })).toBe('run')
  expect(nextStep({ ...none, datasets: 1, pipelines: 1, runs: 3 })).toBe('register')
  expect(nextStep({ ...none, datasets: 1, pipelines: 1, runs: 3, models: 1 })).toBe('deploy')
  expect(nextStep({ datasets: 1, pipelines: 1, runs: 1, models: 1, endpoints: 1 })).toBe('done')
})
