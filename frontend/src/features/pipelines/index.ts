export { PipelinesPage, PipelinePage, TemplatesPage } from './pages'
