export { RunsPage, RunPage, CompareRunsPage } from './pages'
