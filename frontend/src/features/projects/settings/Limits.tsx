/** How much of the studio the project may take at a time. */
import { Button, Group, NumberInput, Stack, Text } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { plural } from '@/lib/format'
import { notifyDone } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useSubmit } from '@/ui/useSubmit'
import { Section } from './Section'

const LIMITS = '/api/v1/projects/{project}/limits' as const

export function Limits({ project, readOnly }: { project: string; readOnly: boolean }) {
  const queryKey = [...keys.project(project), 'limits']
  const query = useQuery({ queryKey, queryFn: () => unwrap(api.GET(LIMITS, { params: { path: { project } } })), refetchInterval: 10_000 })
  const known = query.data
  return (
    <Section title="Limits" description="What waits for a limit says so on the page of its run, and goes on as soon as there is room.">
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {known && <LimitsForm key={`${known.steps_at_once} ${known.runs_at_once}`} project={project} known={known} readOnly={readOnly} queryKey={queryKey} />}
    </Section>
  )
}

function LimitsForm({ project, known, readOnly, queryKey }: { project: string; known: Schemas['LimitsOut']; readOnly: boolean; queryKey: readonly unknown[] }) {
  const client = useQueryClient()
  const form = useForm<{ steps: number | ''; runs: number | '' }>({ initialValues: { steps: known.steps_at_once ?? '', runs: known.runs_at_once ?? '' } })
  const { submit, busy, error } = useSubmit(form, async (values: { steps: number | ''; runs: number | '' }) => {
    const saved = await unwrap(api.PUT(LIMITS, { params: { path: { project } }, body: { steps_at_once: values.steps || null, runs_at_once: values.runs || null } }))
    client.setQueryData(queryKey, saved)
    notifyDone('Saved.')
  })
  const field = { min: 1, max: 10_000, allowDecimal: false, placeholder: 'No limit', readOnly } as const
  return (
    <form onSubmit={form.onSubmit(submit)}>
      <Stack gap="md" maw={560}>
        <ErrorNotice error={error} />
        <Group grow align="flex-start">
          <NumberInput label="Steps at once" description="Of all runs together" {...field} {...form.getInputProps('steps')} />
          <NumberInput label="Runs at once" description="Begun and not ended" {...field} {...form.getInputProps('runs')} />
        </Group>
        <Text size="sm" c="dimmed">
          Now: {plural(known.steps_running, 'step')} of {plural(known.runs_running, 'run')}.
        </Text>
        {!readOnly && (
          <Group>
            <Button type="submit" loading={busy} disabled={!form.isDirty()}>
              Save limits
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  )
}
