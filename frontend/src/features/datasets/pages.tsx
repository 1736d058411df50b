import { PageHeader } from '@/ui/PageHeader'

export function DatasetsPage() {
  return <PageHeader title="Datasets" />
}

export function DatasetPage() {
  return <PageHeader title="Dataset" />
}
