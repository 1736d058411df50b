/** The same graph again with some parameters changed, or the run continued: what it has done already is taken over where no change affects it. */
import { Accordion, Badge, Button, Group, Modal, Select, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, isApiError, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { declaredForm } from '@/lib/declared'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { SchemaForm, type JsonSchema } from '@/ui/schema-form'
import { catalogQuery } from './data'
import { drawn, unpin, type Run, type StepRun } from './live'

type Values = Record<string, unknown>

function changed(before: Values, after: Values): Values {
  const found: Values = {}
  for (const [name, value] of Object.entries(after)) if (JSON.stringify(value) !== JSON.stringify(before[name])) found[name] = value
  return found
}

type Mode = 'again' | 'continue'

export function RerunDialog({ mode, onClose, project, run }: { mode: Mode | null; onClose: () => void; project: string; run: Run }) {
  return (
    <Modal opened={mode !== null} onClose={onClose} title={mode === 'continue' ? 'Continue this run' : 'Run again'} size="lg">
      {mode && <Body mode={mode} onClose={onClose} project={project} run={run} />}
    </Modal>
  )
}

/** Steps that have their result: those are taken over, as long as nothing that decides them is changed. What was put right after a failure is not done any more. */
function finished(run: Run): StepRun[] {
  const undone = new Set(run.step_runs.map((step) => step.undoes))
  return drawn(run, null).filter((step) => !undone.has(step.id)).filter((step) => step.status === 'succeeded' || (step.status === 'skipped' && (step.skip_reason === 'cached' || step.skip_reason === 'reused')))
}

function Body({ mode, onClose, project, run }: { mode: Mode; onClose: () => void; project: string; run: Run }) {
  const navigate = useNavigate()
  const catalog = useQuery(catalogQuery(project))
  const datasets = useQuery({
    queryKey: [...keys.datasets(project), 'choices'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets', { params: { path: { project }, query: { limit: 200 } } })),
  })
  const versions = useQuery({
    queryKey: [...keys.pipelines(project), 'numbers', run.pipeline],
    queryFn: async () => (await unwrap(api.GET('/api/v1/projects/{project}/pipelines/{pipeline}/versions', { params: { path: { project, pipeline: run.pipeline } } }))).map((one) => one.number),
    enabled: mode === 'continue',
  })
  const newest = Math.max(run.pipeline_version, ...(versions.data ?? []))
  const [version, setVersion] = useState<number | null>(null)
  const asked = declaredForm(run.graph.parameters) as JsonSchema
  const before = Object.fromEntries(Object.entries(run.values).map(([name, value]) => [name, unpin(value)]))
  const [own, setOwn] = useState<Values>(before)
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
          body: { parameters: version === null ? overrides : {}, values: changed(before, own), use_cache: !fresh, name, version, reuse: mode === 'continue', until: [], fresh: [] },
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
  const count = Object.keys(changed(before, own)).length + (version === null ? Object.values(overrides).reduce((sum, change) => sum + Object.keys(change).length, 0) : 0)
  const done = finished(run)
  const all = drawn(run, null).length
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        {mode === 'again'
          ? 'Change what you like. Steps that are not affected are reused from this run; the rest runs anew.'
          : done.length === 0
            ? `None of the ${all} steps has a result yet: all of them run.`
            : `${done.length} of ${all} steps have their result and are taken over, as long as no change affects them: ${done
                .slice(0, 8)
                .map((step) => `“${step.name || step.title}”`)
                .join(', ')}${done.length > 8 ? ` and ${done.length - 8} more` : ''}. ${done.length === all ? 'Without a change nothing is left to run.' : 'The rest runs, from where this run stopped.'}`}
      </Text>
      {mode === 'continue' && newest > run.pipeline_version && (
        <Select
          label="Version of the pipeline"
          description="Mended it meanwhile? Continue with the newest version: steps that are the same in both are taken over."
          allowDeselect={false}
          data={[
            { value: '', label: `Version ${run.pipeline_version}, as in this run` },
            { value: String(newest), label: `Version ${newest}, the newest` },
          ]}
          value={version === null ? '' : String(version)}
          onChange={(value) => setVersion(value ? Number(value) : null)}
        />
      )}
      {Object.keys(asked.properties ?? {}).length > 0 && <SchemaForm schema={asked} value={own} onChange={setOwn} context={context} errors={errorsOf('values')} idPrefix="again-values" />}
      <TextInput label="Name of the run" placeholder="Optional: what you are trying" value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={120} />
      {version === null && (
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
      )}
      {mode === 'again' && <Switch label="Run every step anew" description="Otherwise results that nothing has changed are reused." checked={fresh} onChange={(event) => setFresh(event.currentTarget.checked)} />}
      <ErrorNotice error={start.error} />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button onClick={() => start.mutate()} loading={start.isPending}>
          {mode === 'continue' ? (count > 0 ? `Continue with ${count} ${count === 1 ? 'change' : 'changes'}` : 'Continue') : count > 0 ? `Run with ${count} ${count === 1 ? 'change' : 'changes'}` : 'Run again'}
        </Button>
      </Group>
    </Stack>
  )
}
