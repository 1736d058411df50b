import { PageHeader } from '@/ui/PageHeader'

export function PipelinesPage() {
  return <PageHeader title="Pipelines" />
}

export function PipelinePage() {
  return <PageHeader title="Pipeline" />
}

export function TemplatesPage() {
  return <PageHeader title="Templates" />
}
