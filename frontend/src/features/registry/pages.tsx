import { PageHeader } from '@/ui/PageHeader'

export function ModelsPage() {
  return <PageHeader title="Models" />
}

export function ModelPage() {
  return <PageHeader title="Model" />
}
