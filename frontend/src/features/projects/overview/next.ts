/** What to do next in a project, from how much of each there is. Pure. */

export type Counts = { datasets: number; pipelines: number; runs: number; models: number; endpoints: number }
export type NextStep = 'upload' | 'pipeline' | 'run' | 'register' | 'deploy' | 'done'

export function nextStep(c: Counts): NextStep {
  if (c.endpoints > 0) return 'done'
  if (c.models > 0) return 'deploy'
  if (c.runs > 0) return 'register'
  if (c.pipelines > 0) return c.datasets > 0 ? 'run' : 'upload'
  if (c.datasets > 0) return 'pipeline'
  return 'upload'
}
