/** The same graph again, with some parameters changed. Unchanged steps are reused unless told otherwise. */
import { Accordion, Badge, Button, Group, Modal, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, isApiError, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { SchemaForm, type JsonSchema } from '@/ui/schema-form'
import { catalogQuery } from './data'
import { unpin, type Run } from './live'

type Values = Record<string, unknown>

function changed(before: Values, after: Values): Values {
  const found: Values = {}
  for (const [name, value] of Object.entries(after)) if (JSON.stringify(value) !== JSON.stringify(before[name])) found[name] = value
  return found
}

export function RerunDialog({ opened, onClose, project, run }: { opened: boolean; onClose: () => void; project: string; run: Run }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Run again" size="lg">
      {opened && <Body onClose={onClose} project={project} run={run} />}
    </Modal>
  )
}

function Body({ onClose, project, run }: { onClose: () => void; project: string; run: Run }) {
  const navigate = useNavigate()
  const catalog = useQuery(catalogQuery(project))
  const datasets = useQuery({
    queryKey: [...keys.datasets(project), 'choices'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets', { params: { path: { project }, query: { limit: 200 } } })),
  })
  const [values, setValues] = useState<Record<string, Values>>({})
  const [name, setName] = useState('')
  const [fresh, setFresh] = useState(false)
  const steps = Object.entries(run.graph.steps ?? {}).map(([key, step]) => {
    // What the step ran with, so that the form shows the values of those parameters, too, that nobody had set.
    const ran = run.step_runs.find((s) => s.step === key)?.parameters
    const before = Object.fromEntries(Object.entries(ran ?? step.parameters ?? {}).map(([param, value]) => [param, unpin(value)]))
    const component = catalog.data?.components.find((c) => c.name === step.component)
    return { key, title: step.name || component?.title || step.component, schema: component?.parameters as JsonSchema | undefined, before }
  })
  const overrides = Object.fromEntries(
    steps.map(({ key, before }) => [key, changed(before, values[key] ?? before)] as const).filter(([, change]) => Object.keys(change).length > 0),
  )
  const start = useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/projects/{project}/runs/{run_id}/rerun', {
          params: { path: { project, run_id: run.id } },
          body: { parameters: overrides as Record<string, Record<string, never>>, use_cache: !fresh, name },
        }),
      ),
    onSuccess: (made) => {
      onClose()
      void navigate({ to: '/p/$project/runs/$run', params: { project, run: made.id } })
    },
  })
  /** The server's messages, `step.parameter` by field, at their forms. */
  const errorsOf = (step: string): Record<string, string> => {
    const found: Record<string, string> = {}
    if (!isApiError(start.error)) return found
    for (const [field, message] of Object.entries(start.error.fields)) if (field.startsWith(`${step}.`)) found[field.slice(step.length + 1)] = message
    return found
  }
  const context = {
    datasets: (datasets.data?.items ?? []).map((d) => ({ slug: d.slug, name: d.name, modality: d.modality, latest: d.latest_version ?? null })),
  }
  const count = Object.values(overrides).reduce((sum, change) => sum + Object.keys(change).length, 0)
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        Change what you like. Steps that are not affected are reused from this run; the rest runs anew.
      </Text>
      <TextInput label="Name of the run" placeholder="Optional: what you are trying" value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={120} />
      <Accordion variant="separated" keepMounted={false}>
        {steps
          .filter((s) => s.schema && Object.keys(s.schema.properties ?? {}).length > 0)
          .map((step) => (
            <Accordion.Item key={step.key} value={step.key}>
              <Accordion.Control>
                <Group gap="xs">
                  <Text size="sm" fw={600}>
                    {step.title}
                  </Text>
                  {overrides[step.key] && (
                    <Badge size="sm">
                      {Object.keys(overrides[step.key] as Values).length} changed
                    </Badge>
                  )}
                </Group>
              </Accordion.Control>
              <Accordion.Panel>
                <SchemaForm
                  schema={step.schema as JsonSchema}
                  value={values[step.key] ?? step.before}
                  onChange={(value) => setValues((all) => ({ ...all, [step.key]: value }))}
                  context={context}
                  errors={errorsOf(step.key)}
                  idPrefix={`again-${step.key}`}
                />
              </Accordion.Panel>
            </Accordion.Item>
          ))}
      </Accordion>
      <Switch label="Run every step anew" description="Otherwise results that nothing has changed are reused." checked={fresh} onChange={(event) => setFresh(event.currentTarget.checked)} />
      <ErrorNotice error={start.error} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button onClick={() => start.mutate()} loading={start.isPending}>
          {count > 0 ? `Run with ${count} ${count === 1 ? 'change' : 'changes'}` : 'Run again'}
        </Button>
      </Group>
    </Stack>
  )
}
