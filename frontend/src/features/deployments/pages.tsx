import { PageHeader } from '@/ui/PageHeader'

export function EndpointsPage() {
  return <PageHeader title="Endpoints" />
}

export function EndpointPage() {
  return <PageHeader title="Endpoint" />
}
