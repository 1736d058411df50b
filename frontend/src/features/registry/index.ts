export { ModelsPage, ModelPage } from './pages'
