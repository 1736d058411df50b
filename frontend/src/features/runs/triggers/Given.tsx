/** What a triggered run is given: constants in the steps' own forms, and values taken from the event by a small path. */
import { ActionIcon, Alert, Button, Code, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { SchemaForm, type DatasetChoice, type JsonSchema } from '@/ui/schema-form'
import { catalogQuery } from '../data'
import classes from './triggers.module.css'

type Values = Record<string, unknown>
type Constants = Record<string, Values>
type Paths = Record<string, Record<string, string>>

/** Every path into an example event that leads to a plain value: what there is to choose from. */
export function pathsOf(value: unknown, path = '$event', found: string[] = []): string[] {
  if (Array.isArray(value)) value.slice(0, 3).forEach((inner, i) => pathsOf(inner, `${path}[${i}]`, found))
  else if (value !== null && typeof value === 'object') for (const [name, inner] of Object.entries(value)) pathsOf(inner, `${path}.${name}`, found)
  else found.push(path)
  return found
}

/** Without what is empty. */
function put<T>(all: Record<string, T>, step: string, values: T): Record<string, T> {
  const { [step]: _old, ...rest } = all
  return Object.keys(values as object).length > 0 ? { ...rest, [step]: values } : rest
}

export function Given({
  project,
  pipeline,
  version,
  parameters,
  mapping,
  onParameters,
  onMapping,
  errors,
  example,
  datasets,
}: {
  project: string
  pipeline: string
  version: number
  parameters: Constants
  mapping: Paths
  onParameters: (next: Constants) => void
  onMapping: (next: Paths) => void
  errors: Record<string, string>
  example: Values
  datasets: DatasetChoice[]
}) {
  const catalog = useQuery(catalogQuery(project))
  const query = useQuery({
    queryKey: [...keys.pipelines(project), pipeline, 'version', version],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/pipelines/{pipeline}/versions/{number}', { params: { path: { project, pipeline, number: version } } })),
    staleTime: Infinity,
  })
  const steps = Object.entries(query.data?.graph.steps ?? {})
  const told = [...Object.keys(parameters), ...Object.keys(mapping)]
  const [chosen, setChosen] = useState<string | null>(told[0] ?? null)
  if (query.isPending || catalog.isPending) return <Skeleton h={80} />
  const component = (key: string) => catalog.data?.components.find((c) => c.name === query.data?.graph.steps?.[key]?.component)
  const titleOf = (key: string) => query.data?.graph.steps?.[key]?.name || component(key)?.title || key
  const step = chosen ? query.data?.graph.steps?.[chosen] : undefined
  const schema = chosen ? (component(chosen)?.parameters as JsonSchema | undefined) : undefined
  const own: Values = { ...Object.fromEntries(Object.entries(schema?.properties ?? {}).map(([name, s]) => [name, s.default])), ...step?.parameters }
  const lost = told.filter((key) => !steps.some(([known]) => known === key))
  const paths = chosen ? (mapping[chosen] ?? {}) : {}
  const names = Object.keys(schema?.properties ?? {})
  const free = names.filter((name) => !(name in paths))
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        The run uses the pipeline’s own values unless you give others here.
      </Text>
      {lost.length > 0 && (
        <Alert color="red" title={`Version ${version} has no step ${lost.map((key) => `“${key}”`).join(', ')}`}>
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              onParameters(Object.fromEntries(Object.entries(parameters).filter(([key]) => !lost.includes(key))))
              onMapping(Object.fromEntries(Object.entries(mapping).filter(([key]) => !lost.includes(key))))
            }}
          >
            Drop what was set for it
          </Button>
        </Alert>
      )}
      <Select
        label="Step"
        placeholder="Choose a step"
        data={steps.map(([key]) => ({ value: key, label: `${titleOf(key)}${told.includes(key) ? ' (set)' : ''}` }))}
        value={chosen}
        onChange={setChosen}
        searchable
        clearable
      />
      {chosen && step && schema && (
        <>
          <SchemaForm
            key={chosen}
            schema={schema}
            idPrefix={`given-${chosen}`}
            context={{ datasets }}
            value={{ ...own, ...parameters[chosen] }}
            errors={within(errors, `parameters.${chosen}`)}
            onChange={(value) => onParameters(put(parameters, chosen, Object.fromEntries(Object.entries(value).filter(([name, now]) => JSON.stringify(now) !== JSON.stringify(own[name])))))}
          />
          <Stack gap="xs" role="group" aria-label="Taken from the event">
            <Text size="sm" fw={600}>
              Taken from the event
            </Text>
            {Object.entries(paths).map(([name, path]) => (
              <div key={name} className={classes.pair}>
                <Select
                  aria-label="Parameter"
                  data={[name, ...free].map((n) => ({ value: n, label: schema.properties?.[n]?.title ?? n }))}
                  value={name}
                  allowDeselect={false}
                  onChange={(next) => {
                    if (next) onMapping(put(mapping, chosen, Object.fromEntries(Object.entries(paths).map(([n, p]) => [n === name ? next : n, p]))))
                  }}
                />
                <TextInput
                  aria-label={`Path for ${name}`}
                  list="event-paths"
                  spellCheck={false}
                  value={path}
                  error={errors[`mapping.${chosen}.${name}`]}
                  onChange={(event) => onMapping(put(mapping, chosen, { ...paths, [name]: event.currentTarget.value }))}
                />
                <ActionIcon size={36} aria-label={`Do not take ${name} from the event`} onClick={() => onMapping(put(mapping, chosen, Object.fromEntries(Object.entries(paths).filter(([n]) => n !== name))))}>
                  <IconX size={16} aria-hidden />
                </ActionIcon>
              </div>
            ))}
            <datalist id="event-paths">
              {pathsOf(example).map((path) => (
                <option key={path} value={path} />
              ))}
            </datalist>
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<IconPlus size={14} aria-hidden />}
              disabled={free.length === 0}
              style={{ alignSelf: 'flex-start' }}
              onClick={() => onMapping(put(mapping, chosen, { ...paths, [free[0] ?? '']: pathsOf(example).find((p) => p.startsWith('$event.data.')) ?? '$event.data' }))}
            >
              Take a parameter from the event
            </Button>
            <Text size="xs" c="dimmed">
              A path begins with <Code>$event</Code> and goes by names and numbers: <Code>$event.data.version</Code>, <Code>$event.data.rows[0].id</Code>.
            </Text>
          </Stack>
        </>
      )}
    </Stack>
  )
}

function within(errors: Record<string, string>, prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(errors).filter(([field]) => field.startsWith(`${prefix}.`)).map(([field, message]) => [field.slice(prefix.length + 1), message]))
}
