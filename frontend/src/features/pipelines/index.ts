export { PipelinePage } from './PipelinePage'
export { PipelinesPage } from './PipelinesPage'
export { TemplatesPage } from './TemplatesPage'
