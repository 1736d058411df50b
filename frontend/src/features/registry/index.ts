export { ModelsPage } from './ModelsPage'
export { ModelPage } from './ModelPage'
