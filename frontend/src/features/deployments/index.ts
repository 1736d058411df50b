export { EndpointsPage, EndpointPage } from './pages'
