/** One step of a run: how it stands, why it failed, what it was given and what it made. */
import { Accordion, Alert, Anchor, Badge, Code, Group, Progress, Stack, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconClock, IconInfoCircle } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { dateTime, duration, elapsed, humanise } from '@/lib/format'
import { describe, downloadUrl } from '@/ui/artifact'
import { StatusBadge } from '@/ui/StatusBadge'
import { QuestionForm, Decision } from './Question'
import { useNow } from './data'
import { ended, runsMany, unpin, type Run, type StepRun } from './live'
import classes from './runs.module.css'

export function StepPanel({ project, run, step, why, onOpen }: { project: string; run: Run; step: StepRun; why?: string; onOpen: (tab: 'logs' | 'artifacts') => void }) {
  const now = useNow(step.status === 'running')
  const cached = step.status === 'skipped' && (step.skip_reason === 'cached' || step.skip_reason === 'reused')
  const undone = step.undoes ? run.step_runs.find((one) => one.id === step.undoes) : undefined
  const parameters = Object.entries(step.parameters)
  return (
    <Stack gap="md">
      <div>
        <Title order={2} size="h3">
          {step.name || step.title}
        </Title>
        <Text size="xs" c="dimmed">
          {step.name && step.name !== step.title ? `${step.title} · ` : ''}
          {step.step}
        </Text>
      </div>
      <Group gap="xs">
        <StatusBadge status={step.status} word={cached ? 'Reused' : undefined} />
        {step.started_at && (
          <Text size="sm" c="dimmed">
            {duration(elapsed(step.started_at, step.finished_at, now))}
          </Text>
        )}
        {step.max_attempts > 1 && !step.shards && !step.question && !step.decision && (
          <Text size="sm" c="dimmed">
            attempt {Math.max(step.attempt, 1)} of {step.max_attempts}
          </Text>
        )}
      </Group>
      {why && step.status === 'queued' && (
        <Alert icon={<IconClock aria-hidden />} color="gray" p="xs" aria-label="Why it waits">
          {why.charAt(0).toUpperCase() + why.slice(1)}.
        </Alert>
      )}
      {step.status === 'running' && (
        <div>
          <Progress value={step.progress * 100} animated aria-label={`${Math.round(step.progress * 100)} %`} />
          {step.message && (
            <Text size="xs" c="dimmed" mt={4} aria-live="polite">
              {step.message}
            </Text>
          )}
        </div>
      )}
      {why && step.status === 'waiting' && (
        <Text size="sm" c="dimmed">
          {why.charAt(0).toUpperCase() + why.slice(1)}.
        </Text>
      )}
      {step.status === 'waiting' && step.question && <QuestionForm key={step.id} project={project} run={run.id} step={step.step} question={step.question} />}
      {step.decision && step.status !== 'waiting' && <Decision decision={step.decision} />}
      {undone && <Text size="sm">Puts right what “{undone.name || undone.title}” did.</Text>}
      {step.shards && runsMany(run, step) && (
        <Text size="sm">
          {step.shards.total - step.shards.open} of {step.shards.total} done, {step.shards.failed} failed. Choose one in the strip to see its log and outputs.
        </Text>
      )}
      {cached && (
        <Alert icon={<IconInfoCircle aria-hidden />} color="gray" p="xs">
          Nothing that decides this result has changed since an earlier run, so its outputs are reused.
        </Alert>
      )}
      {step.status === 'skipped' && !cached && step.skip_reason && (
        <Alert icon={<IconInfoCircle aria-hidden />} color="gray" p="xs">
          {step.skip_reason === 'upstream failed' ? 'Not reached: a step before it failed.' : step.skip_reason === 'branch not taken' ? 'Passed over: the branch it is on was not taken.' : SKIPPED[step.skip_reason] ?? `Skipped: ${step.skip_reason}.`}
        </Alert>
      )}
      {step.error && (
        <Alert icon={<IconAlertTriangle aria-hidden />} color={step.status === 'cancelled' ? 'orange' : 'red'} title={step.error.message} styles={{ title: { overflowWrap: 'anywhere' } }}>
          {step.error.hint && <Text size="sm">{step.error.hint}</Text>}
          {step.error.traceback && (
            <Accordion variant="default" mt={4}>
              <Accordion.Item value="trace" style={{ border: 0 }}>
                <Accordion.Control p={0}>
                  <Text size="sm">What the program said</Text>
                </Accordion.Control>
                <Accordion.Panel>
                  <Code block fz="xs">
                    {step.error.traceback}
                  </Code>
                </Accordion.Panel>
              </Accordion.Item>
            </Accordion>
          )}
          <Anchor component="button" size="sm" onClick={() => onOpen('logs')}>
            Read its log
          </Anchor>
        </Alert>
      )}
      {step.outputs.length > 0 && (
        <section aria-label="Outputs">
          <Text size="sm" fw={600} mb={4}>
            Outputs
          </Text>
          <Stack gap={6}>
            {step.outputs.map((output) => (
              <Group key={output.port} gap="xs" wrap="nowrap" justify="space-between">
                <div style={{ minWidth: 0 }}>
                  <Anchor component="button" size="sm" onClick={() => onOpen('artifacts')}>
                    {humanise(output.port)}
                  </Anchor>{' '}
                  {humanise(output.port) !== output.artifact.kind && (
                    <Badge size="sm" color="gray">
                      {output.artifact.kind}
                    </Badge>
                  )}
                  <Text size="xs" c="dimmed">
                    {describe(output.artifact)}
                  </Text>
                </div>
                <Anchor size="xs" href={downloadUrl(project, output.artifact.id)} download>
                  Download
                </Anchor>
              </Group>
            ))}
          </Stack>
        </section>
      )}
      {parameters.length > 0 && (
        <section aria-label="Parameters">
          <Text size="sm" fw={600} mb={4}>
            Parameters
          </Text>
          <dl className={classes.params}>
            {parameters.map(([name, value]) => (
              <ParameterRow key={name} name={name} value={value} />
            ))}
          </dl>
        </section>
      )}
      {step.attempt > 1 && !step.shards && !step.question && !step.decision && <Attempts project={project} run={run} step={step} />}
    </Stack>
  )
}

const SKIPPED: Record<string, string> = {
  pinned: 'Pinned in the pipeline: an earlier run’s result is taken, and the step does not run.',
  'only needed by what is pinned': 'Not run: only steps that are pinned would need it.',
  'dry run': 'Left out of this dry run: it changes something outside, asks somebody, or needs what does.',
}

/** A value as people wrote it: no brackets, and a data set version without the digest it is pinned to. */
function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.every((one) => typeof one !== 'object') ? value.join(', ') : JSON.stringify(value)
  if (typeof value === 'object') return JSON.stringify(value)
  return String(unpin(value))
}

function ParameterRow({ name, value }: { name: string; value: unknown }) {
  return (
    <>
      <dt>{humanise(name)}</dt>
      <dd>{shown(value)}</dd>
    </>
  )
}

function Attempts({ project, run, step }: { project: string; run: Run; step: StepRun }) {
  const query = useQuery({
    queryKey: [...keys.runs(project), run.id, 'attempts', step.step, step.attempt, ended(step.status)],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/runs/{run_id}/steps/{step}/attempts', { params: { path: { project, run_id: run.id, step: step.step } } })),
  })
  return (
    <section aria-label="Attempts">
      <Text size="sm" fw={600} mb={4}>
        Attempts
      </Text>
      <Stack gap={6}>
        {query.data?.map((attempt) => (
          <Group key={attempt.number} gap="xs" align="flex-start">
            <Text size="sm">{attempt.number}</Text>
            <StatusBadge status={attempt.status} size="sm" hint={attempt.error?.message} />
            <Text size="xs" c="dimmed">
              {dateTime(attempt.started_at)} · {duration(elapsed(attempt.started_at, attempt.finished_at))} · {attempt.worker}
            </Text>
          </Group>
        ))}
      </Stack>
    </section>
  )
}
