import { PageHeader } from '@/ui/PageHeader'

export function RunsPage() {
  return <PageHeader title="Runs" />
}

export function RunPage() {
  return <PageHeader title="Run" />
}

export function CompareRunsPage() {
  return <PageHeader title="Compare Runs" />
}
