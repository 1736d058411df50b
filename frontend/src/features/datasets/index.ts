export { DatasetsPage, DatasetPage } from './pages'
