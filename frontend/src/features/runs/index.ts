export { RunsPage } from './RunsPage'
export { RunPage } from './RunPage'
export { CompareRunsPage } from './CompareRunsPage'
