export { RunsPage } from './RunsPage'
export { RunPage } from './RunPage'
export { CompareRunsPage } from './CompareRunsPage'
export { ApprovalsPage } from './ApprovalsPage'
