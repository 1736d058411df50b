export { EndpointsPage } from './EndpointsPage'
export { EndpointPage } from './EndpointPage'
