/** The inbox: every step that waits for the person who looks, answered in place. */
import { Anchor, Badge, Group, Skeleton, Text, Title } from '@mantine/core'
import { IconInbox } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { approvalsQuery } from '@/api/approvals'
import { useLive } from '@/api/events'
import { useProjectSlug } from '@/api/me'
import { ago, dateTime } from '@/lib/format'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import classes from './patterns.module.css'
import { QuestionForm } from './Question'

export function ApprovalsPage() {
  const project = useProjectSlug()
  const client = useQueryClient()
  const query = useQuery(approvalsQuery(project))
  useLive('project', (event) => {
    if (event.type === 'run_changed' || event.type === 'step_run_changed') void client.invalidateQueries({ queryKey: approvalsQuery(project).queryKey })
  })
  return (
    <>
      <PageHeader title="Approvals" description="Runs that wait for your answer. The longest waiting come first." />
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={180} />}
      {query.data?.length === 0 && (
        <EmptyState icon={IconInbox} title="Nothing waits for you">
          When a pipeline asks a person and you may decide, the question shows here. The step “Ask a person” does that.
        </EmptyState>
      )}
      <div className={classes.list}>
        {query.data?.map((one) => (
          <article key={`${one.run}.${one.step}`} className={classes.card} aria-label={one.question.question}>
            <Group justify="space-between" mb="xs" gap="xs">
              <Title order={2} size="h4">
                <Anchor inherit renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project, run: one.run }} search={{ step: one.step }} {...props} />}>
                  #{one.run_number} {one.pipeline_name}
                </Anchor>
              </Title>
              <Group gap="xs">
                <Badge variant="default" tt="none" ff="monospace" fw={500}>
                  {one.step}
                </Badge>
                {one.since && (
                  <Text size="sm" c="dimmed" title={dateTime(one.since)}>
                    asked {ago(one.since)}
                  </Text>
                )}
              </Group>
            </Group>
            <QuestionForm project={project} run={one.run} step={one.step} question={one.question} mine />
          </article>
        ))}
      </div>
    </>
  )
}
