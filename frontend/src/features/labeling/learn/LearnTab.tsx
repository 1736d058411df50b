/** Models learn from the labels while people label: the loop and its curve, what became of suggestions, and labels without a person. */
import { Skeleton, Stack } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useCan, useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import type { LabelSchema } from '../data'
import { AutoAccept } from './AutoAccept'
import { loopQuery } from './data'
import { LoopForm } from './LoopForm'
import { LoopNow } from './LoopNow'
import { Outcomes } from './Outcomes'

export function LearnTab({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const can = useCan()
  const query = useQuery(loopQuery(project, schema.slug))
  if (query.isPending) return <Skeleton h={200} />
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  const { loop } = query.data
  return (
    <Stack gap="xl">
      {loop && <LoopNow schema={schema} loop={loop} />}
      {!loop?.active && (can('label.manage') || !loop) && <LoopForm schema={schema} now={query.data} />}
      <Outcomes schema={schema} empty="No suggestion has been shown to anybody yet." />
      <AutoAccept schema={schema} />
    </Stack>
  )
}
