/** What is selected, in detail: the form of a step, what goes in and out, how it runs. */
import { ActionIcon, Anchor, Badge, Box, Button, Divider, Group, NumberInput, Paper, ScrollArea, Stack, Table, Tabs, Text, Textarea, TextInput, Tooltip } from '@mantine/core'
import { IconCopyPlus, IconLayoutDistributeHorizontal, IconPinnedOff, IconPlugConnected, IconPointer, IconTrash, IconX } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState } from 'react'

import { plural } from '@/lib/format'
import { EmptyState } from '@/ui/EmptyState'
import { SchemaForm, type JsonSchema, type ReferenceChoices, type SchemaFormContext } from '@/ui/schema-form'

import { duplicate } from '../actions/duplicate'
import { remove } from '../actions/remove'
import { tidyUp } from '../actions/tidy-up'
import { componentOf, kindOf } from '../graph/catalog'
import * as edit from '../graph/edit'
import { edgesOf, same, type ColumnInfo, type Component, type Edge, type Port, type Step } from '../graph/types'
import { StageTile } from './ComponentRow'
import { useCurrent, useEditor, useEditorState, useGraph, useStep } from './hooks'
import { Compensation, HowItRuns, RetryOn } from './HowItRuns'
import { Needs } from './Needs'
import { KindMark } from './KindMark'
import { NewerVersion } from './NewerVersion'
import { ParametersPanel } from './Parameters'
import classes from './panels.module.css'

export type Choices = Pick<SchemaFormContext, 'datasets' | 'models' | 'endpoints'> & Pick<ReferenceChoices, 'secrets'>

export function Inspector({ choices }: { choices: Choices }) {
  const current = useCurrent()
  const step = useStep(current)
  const many = useEditorState((state) => state.steps.size)
  const wires = useEditorState((state) => state.edges)
  if (current && step) return <StepDetails key={current} id={current} step={step} choices={choices} />
  if (many > 1) return <ManySteps count={many} />
  if (wires.size > 0) return <WireDetails />
  return <Nothing />
}

function Nothing() {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const empty = Object.keys(useGraph().steps).length === 0
  return (
    <ScrollArea h="100%" type="auto" scrollbarSize={8}>
      <EmptyState
        compact
        icon={IconPointer}
        title={empty ? 'An empty pipeline' : 'Nothing is selected'}
        actions={
          !readOnly && (
            <Button size="xs" variant="light" onClick={() => editor.open({ name: 'add' })}>
              Add a step
            </Button>
          )
        }
      >
        {empty
          ? 'Begin with a step that reads a data set, then follow the plus signs.'
          : 'Select a step to see its parameters and the columns that go in and out. Pull a wire from a port to connect; let it go on the empty canvas to see what fits.'}
      </EmptyState>
      <ParametersPanel />
    </ScrollArea>
  )
}

function ManySteps({ count }: { count: number }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  return (
    <Stack p="md" gap="sm">
      <Text fw={620}>{plural(count, 'step')} selected</Text>
      {!readOnly && (
        <Group gap="xs">
          {[
            { action: tidyUp, icon: IconLayoutDistributeHorizontal },
            { action: duplicate, icon: IconCopyPlus },
            { action: remove, icon: IconTrash },
          ].map(({ action, icon: ActionIconOf }) => (
            <Button key={action.id} size="xs" variant="default" leftSection={<ActionIconOf size={15} aria-hidden />} onClick={() => action.run(editor)}>
              {action.label}
            </Button>
          ))}
        </Group>
      )}
    </Stack>
  )
}

function WireDetails() {
  const editor = useEditor()
  const graph = useGraph()
  const readOnly = useEditorState((state) => state.readOnly)
  const columns = useEditorState((state) => state.columns)
  const edges = editor.selectedEdges
  const edge = edges[0]
  if (!edge || !graph.steps[edge.source]) return null
  return (
    <Stack p="md" gap="sm">
      <Text fw={620}>{edges.length > 1 ? plural(edges.length, 'wire') : 'Wire'}</Text>
      {edges.length === 1 && (
        <>
          <Text size="sm">{editor.edgeLabel(edge)}</Text>
          <Columns columns={columns[edge.source]?.[edge.output]} />
        </>
      )}
      {!readOnly && (
        <Group gap="xs">
          {edges.length === 1 && (
            <Button size="xs" variant="default" onClick={() => editor.open({ name: 'add', edge })}>
              Insert a step
            </Button>
          )}
          <Button size="xs" variant="default" leftSection={<IconTrash size={15} aria-hidden />} onClick={() => editor.removeSelected()}>
            Delete
          </Button>
        </Group>
      )}
    </Stack>
  )
}

const NO_SCHEMA: JsonSchema = {}
const NOTHING: ReadonlySet<string> = new Set<string>()

export function defaultsOf(schema: JsonSchema): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema.properties ?? {}).flatMap(([name, property]) => (property.default === undefined || property.default === null ? [] : [[name, property.default]])))
}

/** Why the step does not run, and the way back. */
function Pinned({ id, run }: { id: string; run: number }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  return (
    <Paper withBorder p="xs" role="note">
      <Text size="sm">Pinned to the result of run {run}: this step does not run, and neither does what only it would need.</Text>
      {!readOnly && (
        <Button mt={6} size="compact-sm" variant="default" leftSection={<IconPinnedOff size={14} aria-hidden />} onClick={() => editor.change(edit.setFlow(editor.graph, id, { pin: undefined }), `Unpinned ${editor.title(id)}`)}>
          Unpin
        </Button>
      )}
    </Paper>
  )
}

function StepDetails({ id, step, choices }: { id: string; step: Step; choices: Choices }) {
  const editor = useEditor()
  const root = useRef<HTMLDivElement>(null)
  const catalog = useEditorState((state) => state.catalog)
  const readOnly = useEditorState((state) => state.readOnly)
  const problems = useEditorState((state) => state.problems)
  const runProblems = useEditorState((state) => state.runProblems)
  const columns = useEditorState((state) => state.columns)
  const focus = useEditorState((state) => state.focus)
  const component = componentOf(catalog, step)
  const schema = (component?.parameters ?? NO_SCHEMA) as JsonSchema
  const fields = Object.keys(schema.properties ?? {})
  const mine = useMemo(() => [...problems, ...runProblems].filter((problem) => problem.step === id), [problems, runProblems, id])
  const errors = useMemo(() => Object.fromEntries(mine.filter((problem) => problem.parameter).map((problem) => [problem.parameter as string, [problem.message, problem.hint].filter(Boolean).join(' ')])), [mine])
  const other = mine.filter((problem) => !problem.parameter)

  const inputColumns = useMemo(() => {
    const known: Record<string, ColumnInfo[] | undefined> = {}
    for (const [port, refs] of Object.entries(step.inputs)) {
      const first = refs[0]
      known[port] = first ? columns[first.step]?.[first.output] : undefined
    }
    return known
  }, [step.inputs, columns])
  const declared = useGraph().parameters
  const context = useMemo<SchemaFormContext>(() => {
    const { secrets, ...others } = choices
    const parameters = Object.entries(declared ?? {}).map(([name, one]) => ({ name, title: one.title || name, type: one.type }))
    return { ...others, columns: inputColumns, references: { parameters, secrets: step.component.startsWith('code:') ? undefined : secrets } }
  }, [choices, inputColumns, declared, step.component])

  // Asked for from elsewhere (a problem, F2, Enter): put the cursor into that field. The form may still be loading.
  useEffect(() => {
    if (!focus || focus.step !== id) return
    let tries = 0
    let frame = 0
    const aim = () => {
      const panel = root.current
      const name = focus.parameter
      const field =
        name === 'step:name'
          ? panel?.querySelector<HTMLElement>('[data-step-name]')
          : name
            ? (document.getElementById(`f-${id}_${name}`) ?? panel?.querySelector<HTMLElement>(`[id^="f-${id}_${name}"]`))
            : panel?.querySelector<HTMLElement>('[data-parameters] input, [data-parameters] textarea, [data-parameters] button')
      if (field) {
        field.scrollIntoView({ block: 'center' })
        field.focus()
        if (field instanceof HTMLInputElement && name === 'step:name') field.select()
      } else if (tries++ < 90) frame = requestAnimationFrame(aim)
    }
    frame = requestAnimationFrame(aim)
    return () => cancelAnimationFrame(frame)
  }, [focus, id])

  // The form shows defaults as values; the graph keeps only what differs from them. A field that was just emptied stays
  // empty until it is left, or the default would jump back in under the fingers.
  const [emptied, setEmptied] = useState<ReadonlySet<string>>(NOTHING)
  const defaults = useMemo(() => defaultsOf(schema), [schema])
  const shown = useMemo(() => ({ ...Object.fromEntries(Object.entries(defaults).filter(([name]) => !emptied.has(name))), ...step.parameters }), [defaults, emptied, step.parameters])

  const change = (form: Record<string, unknown>) => {
    const gone = Object.keys(defaults).filter((name) => form[name] === undefined)
    setEmptied(gone.length > 0 ? new Set(gone) : NOTHING)
    const parameters = Object.fromEntries(Object.entries(form).filter(([name, value]) => value !== undefined && !(Object.hasOwn(defaults, name) && same(defaults[name], value))))
    const names = [...new Set([...Object.keys(parameters), ...Object.keys(step.parameters)])].filter((name) => !same(parameters[name], step.parameters[name]))
    if (names.length === 0) return
    const title = (names[0] && schema.properties?.[names[0]]?.title) || names[0] || 'parameters'
    editor.change(edit.setParameters(editor.graph, id, parameters), `Changed ${title} of ${editor.title(id)}`, `parameter:${id}:${names.join()}`)
  }
  const detail = (details: Parameters<typeof edit.setDetails>[2], word: string) => editor.change(edit.setDetails(editor.graph, id, details), `Changed the ${word} of ${editor.title(id)}`, `${word}:${id}`)

  return (
    <div ref={root} className={classes.inspector}>
      <div className={classes.panelTop}>
        <Group gap="sm" wrap="nowrap" align="flex-start">
          <StageTile stage={component?.stage ?? ''} size={36} />
          <Box flex={1} miw={0}>
            <TextInput
              data-step-name
              variant="unstyled"
              size="sm"
              classNames={{ input: classes.nameInput }}
              aria-label="Name of the step"
              placeholder={component?.title ?? step.component}
              value={step.name}
              maxLength={120}
              readOnly={readOnly}
              onChange={(event) => detail({ name: event.currentTarget.value }, 'name')}
            />
            <Group gap={6} wrap="nowrap">
              <Text size="xs" c="dimmed" truncate>
                {component?.title ?? step.component}
              </Text>
              <Tooltip label="The step's key: YAML, the command line and logs use it">
                <Badge size="xs" variant="default" tt="none" ff="monospace" fw={500}>
                  {id}
                </Badge>
              </Tooltip>
            </Group>
          </Box>
          {!readOnly && (
            <Tooltip label="Delete this step">
              <ActionIcon size="md" aria-label="Delete this step" onClick={() => editor.removeSelected()}>
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      </div>
      <Tabs defaultValue="parameters" keepMounted classNames={{ root: classes.tabs, tab: classes.tab }} variant="default">
        <Tabs.List px={6}>
          <Tabs.Tab value="parameters">Parameters</Tabs.Tab>
          <Tabs.Tab value="ports">Ports</Tabs.Tab>
          <Tabs.Tab value="running">Running</Tabs.Tab>
          <Tabs.Tab value="help">Help</Tabs.Tab>
        </Tabs.List>
        <ScrollArea className={classes.scroll} type="auto" scrollbarSize={8}>
          <Tabs.Panel value="parameters" p="md" data-parameters onBlur={() => setEmptied(NOTHING)}>
            <Stack gap="md">
              {other.map((problem, index) => (
                <Text key={index} size="sm" className={classes.notice} data-severity={problem.severity}>
                  {problem.message} {problem.hint}
                </Text>
              ))}
              {step.pin && <Pinned id={id} run={step.pin.run} />}
              {component && <NewerVersion id={id} component={component} />}
              {fields.length > 0 && <SchemaForm schema={schema} value={shown} onChange={change} context={context} errors={errors} disabled={readOnly} idPrefix={`f-${id}`} />}
              {component && fields.length === 0 && (
                <Text size="sm" c="dimmed">
                  This component has nothing to set.
                </Text>
              )}
              {!component && (
                <Text size="sm" className={classes.notice} data-severity="error">
                  This studio has no component “{step.component}”. Install the plug-in it comes from, or delete the step.
                </Text>
              )}
              <Textarea label="Note" placeholder="Why this step is here" autosize minRows={1} maxRows={8} maxLength={2000} value={step.note} readOnly={readOnly} onChange={(event) => detail({ note: event.currentTarget.value }, 'note')} />
            </Stack>
          </Tabs.Panel>
          <Tabs.Panel value="ports" p="md">
            {component && <Ports id={id} step={step} component={component} inputColumns={inputColumns} />}
          </Tabs.Panel>
          <Tabs.Panel value="running" p="md">
            <Stack gap="md">
              {component && <HowItRuns id={id} step={step} component={component} choices={choices} />}
              <Divider />
              <NumberInput label="Retries" description="How often a step that crashed is tried again. Mistakes in parameters are never retried." min={0} max={10} allowDecimal={false} clampBehavior="strict" value={step.retries} readOnly={readOnly} onChange={(value) => detail({ retries: Number(value) || 0 }, 'retries')} />
              <RetryOn id={id} step={step} />
              <NumberInput
                label="Timeout (seconds)"
                description="The step is stopped when it takes longer. Empty: no limit."
                min={1}
                max={604_800}
                allowDecimal={false}
                clampBehavior="blur"
                placeholder="No limit"
                value={step.timeout_s ?? ''}
                readOnly={readOnly}
                onChange={(value) => detail({ timeout_s: value === '' ? null : Math.max(1, Number(value)) }, 'timeout')}
              />
              <Divider />
              {component && <Needs id={id} step={step} component={component} />}
              <Divider />
              {component && <Compensation id={id} step={step} component={component} choices={choices} />}
              <Divider />
              {component && (
                <Text size="sm" c="dimmed">
                  Runs on the {component.resources} queue. {component.cacheable ? 'With the same parameters and inputs its earlier result is used again.' : 'It always runs: it acts outside of the pipeline, or its result changes.'}
                </Text>
              )}
            </Stack>
          </Tabs.Panel>
          <Tabs.Panel value="help" p="md">
            <Text size="sm" fw={560} mb="xs">
              {component?.summary}
            </Text>
            <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
              {component?.help}
            </Text>
          </Tabs.Panel>
        </ScrollArea>
      </Tabs>
    </div>
  )
}

function Ports({ id, step, component, inputColumns }: { id: string; step: Step; component: Component; inputColumns: Record<string, ColumnInfo[] | undefined> }) {
  const editor = useEditor()
  const graph = useGraph()
  const readOnly = useEditorState((state) => state.readOnly)
  const columns = useEditorState((state) => state.columns)
  const readers = useMemo(() => edgesOf(graph).filter((edge) => edge.source === id), [graph, id])
  return (
    <Stack gap="lg">
      {component.inputs.map((port) => {
        const edges: Edge[] = (step.inputs[port.name] ?? []).map((ref) => ({ source: ref.step, output: ref.output, target: id, port: port.name }))
        return <PortDetails key={`in-${port.name}`} port={port} side="Input" edges={edges} other={(edge) => edge.source} columns={inputColumns[port.name]} missing={port.required && edges.length === 0} />
      })}
      {component.outputs.map((port) => (
        <PortDetails key={`out-${port.name}`} port={port} side="Output" edges={readers.filter((edge) => edge.output === port.name)} other={(edge) => edge.target} columns={columns[id]?.[port.name]} missing={false} />
      ))}
      {!readOnly && (
        <Button variant="default" size="xs" leftSection={<IconPlugConnected size={15} aria-hidden />} onClick={() => editor.open({ name: 'connect', step: id })}>
          Connect to…
        </Button>
      )}
    </Stack>
  )
}

function PortDetails({ port, side, edges, other, columns, missing }: { port: Port; side: 'Input' | 'Output'; edges: Edge[]; other: (edge: Edge) => string; columns: ColumnInfo[] | undefined; missing: boolean }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const kind = useEditorState((state) => kindOf(state.catalog, port.kind))
  return (
    <Box>
      <Group gap="xs" wrap="nowrap">
        <KindMark color={kind.color} shape={kind.shape} hollow={edges.length === 0} />
        <Text size="sm" fw={600}>
          {port.title}
        </Text>
        <Text size="xs" c="dimmed">
          {side} · {kind.title}
          {port.many ? ' · several' : ''}
          {side === 'Input' && !port.required ? ' · optional' : ''}
        </Text>
      </Group>
      {port.help && (
        <Text size="xs" c="dimmed" mt={2}>
          {port.help}
        </Text>
      )}
      {missing && (
        <Text size="xs" mt={4} c="red">
          Nothing is connected here yet, and the step needs it.
        </Text>
      )}
      {edges.map((edge) => (
        <Group key={`${edge.source}.${edge.output}.${edge.target}.${edge.port}`} gap={4} mt={4} wrap="nowrap">
          <Anchor component="button" type="button" size="sm" onClick={() => editor.goTo(other(edge), { centre: true })}>
            {editor.title(other(edge))}
          </Anchor>
          {!readOnly && (
            <Tooltip label="Disconnect">
              <ActionIcon size={24} aria-label={`Disconnect ${editor.title(other(edge))}`} onClick={() => editor.change(edit.disconnect(editor.graph, [edge]), 'Deleted a wire')}>
                <IconX size={14} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      ))}
      {port.kind === 'Table' && <Columns columns={columns} />}
    </Box>
  )
}

const SHOWN = 40

function Columns({ columns }: { columns: ColumnInfo[] | undefined }) {
  if (!columns) {
    return (
      <Text size="xs" c="dimmed" mt={6}>
        Its columns are known once what feeds it is complete.
      </Text>
    )
  }
  return (
    <Table mt={6} verticalSpacing={3} fz="xs" aria-label="Columns">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{plural(columns.length, 'column')}</Table.Th>
          <Table.Th w={90}>Type</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {columns.slice(0, SHOWN).map((column) => (
          <Table.Tr key={column.name}>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{column.name}</Table.Td>
            <Table.Td c="dimmed">{column.type}</Table.Td>
          </Table.Tr>
        ))}
        {columns.length > SHOWN && (
          <Table.Tr>
            <Table.Td colSpan={2} c="dimmed">
              and {columns.length - SHOWN} more
            </Table.Td>
          </Table.Tr>
        )}
      </Table.Tbody>
    </Table>
  )
}
