/** Before a run: what must be right first (each line goes there), and what may be changed for this run only. */
import { Accordion, Box, Button, Group, Modal, NumberInput, Select, SimpleGrid, Stack, Switch, Text, TextInput } from '@mantine/core'
import { IconCircleCheck, IconCircleX, IconLoader2, IconPlayerPlayFilled } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'

import { isApiError, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { declaredForm } from '@/lib/declared'
import { totalWords } from '@/lib/forecast'
import { plural } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { check, SchemaForm, type JsonSchema } from '@/ui/schema-form'

import { componentOf, inputPort, type Catalog } from '../graph/catalog'
import { reachable, topological } from '../graph/order'
import { same, type Graph, type Problem } from '../graph/types'
import { forecastQuery, startRun } from '../queries'
import classes from './canvas.module.css'
import { useEditor, useEditorState, useGraph } from './hooks'
import { defaultsOf, type Choices } from './Inspector'
import { ProblemRow } from './Problems'

type Overrides = Record<string, Record<string, unknown>>
type Priority = Schemas['RunSummary']['priority']
type Sample = Schemas['Sample']
const SAMPLE: Sample = { rows: 500, how: 'stratified', seed: 0 }

export function RunDialog({ project, pipeline, version, flush, choices }: { project: string; pipeline: string; version: number | null; flush: () => Promise<void>; choices: Choices }) {
  const editor = useEditor()
  const dialog = useEditorState((state) => (state.dialog?.name === 'run' ? state.dialog : null))
  const opened = dialog !== null
  const close = () => editor.open(null)
  return (
    <Modal opened={opened} onClose={close} title={<Text fw={620}>{version === null ? 'Run this pipeline' : `Run version ${version}`}</Text>} size="lg">
      {opened && <Body project={project} pipeline={pipeline} version={version} flush={flush} choices={choices} onClose={close} until={dialog.until} fresh={dialog.fresh} dry={dialog.dry} />}
    </Modal>
  )
}

const FIXED = { flex: 'none' } as const

function Line({ state, children }: { state: 'good' | 'bad' | 'busy'; children: ReactNode }) {
  return (
    <Group gap="xs" wrap="nowrap">
      {state === 'good' && <IconCircleCheck size={18} style={FIXED} color="var(--mantine-color-green-6)" aria-label="Done" />}
      {state === 'bad' && <IconCircleX size={18} style={FIXED} color="var(--mantine-color-red-6)" aria-label="Not yet" />}
      {state === 'busy' && <IconLoader2 size={18} style={FIXED} className={classes.spin} aria-label="Checking" />}
      <Text size="sm">{children}</Text>
    </Group>
  )
}

function Body({ project, pipeline, version, flush, choices, onClose, until, fresh, dry = false }: { project: string; pipeline: string; version: number | null; flush: () => Promise<void>; choices: Choices; onClose: () => void; until?: string; fresh?: string; dry?: boolean }) {
  const editor = useEditor()
  const graph = useGraph()
  const navigate = useNavigate()
  const client = useQueryClient()
  const problems = useEditorState((state) => state.problems)
  const checked = useEditorState((state) => state.checked)
  const columns = useEditorState((state) => state.columns)
  const catalog = useEditorState((state) => state.catalog)
  const [name, setName] = useState('')
  const [useCache, setUseCache] = useState(true)
  const [priority, setPriority] = useState<Priority>('normal')
  const [sample, setSample] = useState<Sample | null>(dry ? SAMPLE : null)
  const [overrides, setOverrides] = useState<Overrides>({})
  const [values, setValues] = useState<Record<string, unknown>>({})
  const [chosen, setChosen] = useState<string | null>(null)
  const [saved, setSaved] = useState(version !== null)
  // A run of a part waits only for what is wrong in that part.
  const part = useMemo(() => (until ? reachable(graph, until, 'up').add(until) : null), [graph, until])
  const errors = problems.filter((problem) => problem.severity === 'error' && (!part || !problem.step || part.has(problem.step)))
  const warnings = problems.filter((problem) => problem.severity === 'warning')
  const steps = part ? [...part] : Object.keys(graph.steps)
  const asked = useMemo(() => declaredForm(graph.parameters), [graph.parameters])

  useEffect(() => {
    let alive = true
    void flush().then(() => alive && setSaved(true))
    return () => {
      alive = false
    }
  }, [flush])

  const start = useMutation({
    mutationFn: async () => {
      await flush()
      return startRun(project, { pipeline, version, parameters: overrides, values, name, use_cache: useCache, priority, sample, until: until ? [until] : [], fresh: fresh ? [fresh] : [] })
    },
    onSuccess: (run) => {
      void client.invalidateQueries({ queryKey: keys.runs(project) })
      void client.invalidateQueries({ queryKey: keys.pipelines(project) })
      onClose()
      void navigate({ to: '/p/$project/runs/$run', params: { project, run: run.id } })
    },
    onError: (error) => {
      // What the studio refused is shown where it is: on the steps, in the form, in the list of problems.
      const found = problemsIn(error, editor.graph, editor.catalog)
      if (found.length > 0) editor.set({ runProblems: found })
    },
  })
  const forecast = useQuery({ ...forecastQuery(project, pipeline, version), enabled: saved })
  const expected = until || fresh ? '' : totalWords(forecast.data)
  const graphProblems = problemsIn(start.error, graph, catalog)

  const step = chosen ? graph.steps[chosen] : undefined
  const schema = componentOf(catalog, step)?.parameters as JsonSchema | undefined
  const inputColumns = Object.fromEntries(Object.entries(step?.inputs ?? {}).map(([port, refs]) => [port, refs[0] ? columns[refs[0].step]?.[refs[0].output] : undefined]))
  const changed = Object.values(overrides).reduce((count, values) => count + Object.keys(values).length, 0)
  const given = { ...defaultsOf(asked as JsonSchema), ...values }
  const open = check(asked as JsonSchema, given).length > 0
  const ready = !open && steps.length > 0 && errors.length === 0 && checked !== 'waiting'
  const button = useRef<HTMLButtonElement>(null)
  // A button that is disabled takes no focus: where the dialog opens before the check is done, Run gets it afterwards, unless somebody is at a field by then.
  useEffect(() => {
    if (ready && !button.current?.form?.contains(document.activeElement)) button.current?.focus({ preventScroll: true })
  }, [ready])

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) start.mutate()
      }}
    >
      <Stack gap="md">
        {(until ?? fresh) && (
          <Text size="sm" role="note">
            {runWords(editor.title(until ?? fresh ?? ''), until !== undefined, fresh !== undefined)}
          </Text>
        )}
        {Object.keys(asked.properties).length > 0 && (
          <Stack gap="md" role="group" aria-label="Parameters of the pipeline">
            <SchemaForm schema={asked as JsonSchema} idPrefix="run-values" context={choices} value={given} onChange={setValues} errors={isApiError(start.error) ? valueErrors(start.error.fields) : undefined} />
          </Stack>
        )}
        <Stack gap={6} role="group" aria-label="Before the run">
          <Line state={steps.length > 0 ? 'good' : 'bad'}>{steps.length > 0 ? plural(steps.length, 'step') : 'There are no steps yet.'}</Line>
          <Line state={saved ? 'good' : 'busy'}>{version !== null ? `Version ${version}, as it was published` : saved ? 'The draft is saved; the run publishes it as a version when it changed' : 'Saving the draft…'}</Line>
          <Line state={checked === 'waiting' ? 'busy' : errors.length === 0 ? 'good' : 'bad'}>
            {errors.length === 0 ? (warnings.length > 0 ? `No errors, ${plural(warnings.length, 'warning')}` : 'No problems found') : `${plural(errors.length, 'problem')} to solve first`}
          </Line>
          {[...errors, ...warnings].slice(0, 12).map((problem, index) => (
            <Box key={index} ml={14}>
              <ProblemRow problem={problem} onGo={onClose} />
            </Box>
          ))}
        </Stack>
        {expected && (
          <Text size="sm" role="note" aria-label="Forecast">
            {sample ? expected.replace('Expected', 'On all of the data') : expected} What earlier results spare is not taken off.
          </Text>
        )}
        <Group grow align="flex-start" gap="sm" preventGrowOverflow={false}>
          <TextInput label="Name of the run" placeholder="Optional: what is tried here" maxLength={120} value={name} onChange={(event) => setName(event.currentTarget.value)} miw={220} />
          <Select
            label="Priority"
            data={[
              { value: 'low', label: 'Low' },
              { value: 'normal', label: 'Normal' },
              { value: 'high', label: 'High' },
              { value: 'urgent', label: 'Urgent' },
            ]}
            allowDeselect={false}
            value={priority}
            onChange={(value) => setPriority((value ?? 'normal') as Priority)}
            maw={{ xs: 150 }}
          />
        </Group>
        <Switch
          label="Dry run"
          description="On a part of the data, without the steps that register, deploy or ask; tells what a full run would take."
          checked={sample !== null}
          onChange={(event) => setSample(event.currentTarget.checked ? SAMPLE : null)}
        />
        {sample && (
          <SimpleGrid cols={{ base: 1, xs: 3 }} spacing="sm" role="group" aria-label="Sample">
            <NumberInput label="Rows or pictures" min={1} max={1_000_000} allowDecimal={false} value={sample.rows} onChange={(rows) => setSample({ ...sample, rows: Math.max(1, Number(rows) || 1) })} />
            <Select
              label="Chosen"
              allowDeselect={false}
              data={[
                { value: 'stratified', label: 'Each label its share' },
                { value: 'random', label: 'At random' },
                { value: 'head', label: 'The first ones' },
              ]}
              value={sample.how}
              onChange={(how) => setSample({ ...sample, how: (how ?? 'stratified') as Sample['how'] })}
            />
            {sample.how !== 'head' && <NumberInput label="Seed" min={0} max={2 ** 31 - 1} allowDecimal={false} value={sample.seed} onChange={(seed) => setSample({ ...sample, seed: Math.max(0, Number(seed) || 0) })} />}
          </SimpleGrid>
        )}
        <Switch label="Use earlier results" description="Steps whose component, parameters and inputs did not change are not computed again." checked={useCache} onChange={(event) => setUseCache(event.currentTarget.checked)} />
        <Accordion variant="contained" chevronPosition="left">
          <Accordion.Item value="overrides">
            <Accordion.Control>
              <Text size="sm">
                Change parameters for this run only{' '}
                {changed > 0 && (
                  <Text span size="sm" c="dimmed">
                    ({changed} changed)
                  </Text>
                )}
              </Text>
            </Accordion.Control>
            <Accordion.Panel>
              <Stack gap="md">
                <Select
                  label="Step"
                  placeholder="Choose a step"
                  data={topological(graph).map((key) => ({ value: key, label: editor.title(key) === key ? key : `${editor.title(key)} (${key})` }))}
                  value={chosen}
                  onChange={setChosen}
                  searchable
                />
                {chosen && step && schema && (
                  <SchemaForm
                    key={chosen}
                    schema={schema}
                    idPrefix={`run-${chosen}`}
                    context={{ ...choices, columns: inputColumns }}
                    value={{ ...defaultsOf(schema), ...step.parameters, ...overrides[chosen] }}
                    onChange={(value) => {
                      const own = Object.fromEntries(Object.entries(value).filter(([field, now]) => !same(now, step.parameters[field] ?? defaultsOf(schema)[field])))
                      setOverrides(({ [chosen]: _old, ...rest }) => (Object.keys(own).length > 0 ? { ...rest, [chosen]: own } : rest))
                    }}
                  />
                )}
              </Stack>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
        {graphProblems.length > 0 ? graphProblems.map((problem, index) => <ProblemRow key={index} problem={problem} onGo={onClose} />) : <ErrorNotice error={start.error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!ready} loading={start.isPending} leftSection={<IconPlayerPlayFilled size={15} aria-hidden />} ref={button} data-autofocus={ready || undefined}>
            {sample ? 'Dry run' : 'Run'}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** Which part of the pipeline a run from a step's menu runs. */
function runWords(title: string, until: boolean, fresh: boolean): string {
  if (until && fresh) return `Only “${title}” runs anew. What it needs is taken from earlier results, or runs first where there are none; nothing after it runs.`
  if (until) return `Runs “${title}” and what it needs; nothing after it.`
  return `“${title}” runs anew, and what comes after it when its result differs. Everything before it is taken from earlier results.`
}

/** The studio names the pipeline's own parameters as `values.name`. */
function valueErrors(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).flatMap(([field, message]) => (field.startsWith('values.') ? [[field.slice('values.'.length), message]] : [])))
}

/** The studio names places as `step.parameter` or `step.port`. */
function problemsIn(error: unknown, graph: Graph, catalog: Catalog): Problem[] {
  if (!isApiError(error)) return []
  return error.problems.flatMap(({ field, message, expected }) => {
    const [step = '', ...rest] = field.split('.')
    if (!graph.steps[step]) return []
    const name = rest.join('.')
    const port = inputPort(catalog, graph.steps[step], name) ? name : null
    return [{ severity: 'error', step, port, parameter: port ? null : name || null, code: error.code, message, hint: expected }]
  })
}
