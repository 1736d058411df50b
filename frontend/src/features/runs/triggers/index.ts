export { TriggersPage } from './TriggersPage'
export { TriggerPage } from './TriggerPage'
