/** What people made of a model's suggestions. */
import { useQuery } from '@tanstack/react-query'
import { Text } from '@mantine/core'
import { useProjectSlug } from '@/api/me'
import { percent } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import type { LabelSchema } from '../data'
import { Section, Small } from '../overview/quality/Section'
import { outcomesQuery, type Outcomes as Found } from './data'

const cell = (part: number, of: number) => `${part.toLocaleString()} (${percent(part / of, 0)})`
const row = (one: Found) => ({ key: one.model_version, cells: [one.model_version || 'without a name', cell(one.accepted, one.total), cell(one.adjusted, one.total), cell(one.rejected, one.total), one.total.toLocaleString()] })

/** `empty`: what to say where nothing was counted; else the section is left out. */
export function Outcomes({ schema, empty }: { schema: LabelSchema; empty?: string }) {
  const project = useProjectSlug()
  const query = useQuery(outcomesQuery(project, schema.slug))
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data || (query.data.length === 0 && !empty)) return null
  return (
    <Section title="What became of suggestions" help="Whether people kept a model's suggestion as it was, changed it, or kept nothing of it. Items that people label without seeing one are not counted.">
      {query.data.length === 0 ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <Small head={['Model version', 'Accepted', 'Adjusted', 'Rejected', 'Suggestions']} rows={query.data.map(row)} />
      )}
    </Section>
  )
}
