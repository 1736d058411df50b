/** How a step is run: once, once a shard, round after round; tried again after which errors; undone by what. */
import { Badge, Box, Checkbox, Group, NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconArrowBackUp } from '@tabler/icons-react'
import { useMemo } from 'react'

import { SchemaForm, type JsonSchema } from '@/ui/schema-form'

import * as edit from '../graph/edit'
import { ERROR_WORDS, MOST_ROUNDS, MOST_SHARDS, undoingComponents } from '../graph/flow'
import { kindsFit } from '../graph/kinds'
import type { Component, ErrorClass, Flow, MapSpec, RepeatSpec, Step } from '../graph/types'
import { useEditor, useEditorState } from './hooks'
import type { Choices } from './Inspector'
import { firstSetting, Settings } from './Settings'

const SETTINGS = 'values'

export function HowItRuns({ id, step, component, choices }: { id: string; step: Step; component: Component; choices: Choices }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const say = (flow: Parameters<typeof edit.setFlow>[2], what: string) => editor.change(edit.setFlow(editor.graph, id, flow), `Changed ${what} of ${editor.title(id)}`, `flow:${what}:${id}`)
  const how = step.map ? 'map' : step.repeat ? 'repeat' : 'once'
  const firstPort = component.inputs.find((port) => step.inputs[port.name]?.length)?.name ?? component.inputs[0]?.name
  const choose = (next: string) => {
    if (next === how) return
    const settings = firstSetting(component)
    if (next === 'map' && !firstPort && !settings) editor.announce('This step has neither inputs nor parameters to be mapped over.')
    else if (next === 'map') say({ map: firstPort ? { port: firstPort } : { values: [settings ?? {}] }, repeat: undefined }, 'how often it runs')
    else if (next === 'repeat') say({ repeat: { at_most: 10 }, map: undefined }, 'how often it runs')
    else say({ map: undefined, repeat: undefined }, 'how often it runs')
  }
  return (
    <Stack gap="md" role="group" aria-label="How it runs">
      <div>
        <Text size="sm" fw={600} mb={6}>
          How it runs
        </Text>
        <SegmentedControl
          fullWidth
          size="xs"
          aria-label="How often it runs"
          value={how}
          onChange={choose}
          disabled={readOnly}
          data={[
            { value: 'once', label: 'Once' },
            { value: 'map', label: 'For each of…' },
            { value: 'repeat', label: 'Repeat' },
          ]}
        />
        <Text size="xs" c="dimmed" mt={6}>
          {how === 'once' && 'One time, with what arrives.'}
          {how === 'map' && 'Many times side by side, a shard each. Its outputs become lists, in the order of the shards.'}
          {how === 'repeat' && 'Round after round, until its metrics are good enough. The last round’s outputs are its outputs.'}
        </Text>
      </div>
      {step.map && <MapFields map={step.map} component={component} choices={choices} readOnly={readOnly} onChange={(map) => say({ map }, 'what it runs for')} />}
      {step.repeat && <RepeatFields repeat={step.repeat} component={component} readOnly={readOnly} onChange={(repeat) => say({ repeat }, 'its rounds')} />}
    </Stack>
  )
}

function MapFields({ map, component, choices, readOnly, onChange }: { map: MapSpec; component: Component; choices: Choices; readOnly: boolean; onChange: (map: MapSpec) => void }) {
  const over = map.values ? SETTINGS : `port:${map.port}`
  const port = component.inputs.find((one) => one.name === map.port)
  const { port: _port, size: _size, values: _values, ...shared } = map
  const settings = firstSetting(component)
  const policy = typeof map.policy === 'number' ? 'some' : (map.policy ?? 'all')
  const set = (change: { [field in keyof MapSpec]?: MapSpec[field] | undefined }) => onChange(Object.fromEntries(Object.entries({ ...map, ...change }).filter(([, value]) => value !== undefined)) as MapSpec)
  return (
    <Stack gap="sm">
      <Select
        label="For each of"
        allowDeselect={false}
        disabled={readOnly}
        data={[
          ...(component.inputs.length > 0 ? [{ group: 'What arrives at an input', items: component.inputs.map((one) => ({ value: `port:${one.name}`, label: one.title })) }] : []),
          ...(settings ? [{ group: 'Parameters', items: [{ value: SETTINGS, label: 'A list of settings' }] }] : []),
        ]}
        value={over}
        onChange={(value) => {
          if (!value || value === over) return
          onChange(value === SETTINGS ? { ...shared, values: [settings ?? {}] } : { ...shared, port: value.slice('port:'.length) })
        }}
      />
      {map.values ? (
        <Settings values={map.values} component={component} choices={choices} readOnly={readOnly} onChange={(values) => set({ values })} />
      ) : (
        (port?.kind === 'Table' || port?.kind === 'Images' || port?.kind === 'Artifact') && (
          <NumberInput
            label={port.kind === 'Images' ? 'Images a shard' : 'Rows a shard'}
            description="Where one table or set of images arrives, it is cut. A list of a mapped step gives a shard for each of its parts."
            min={1}
            allowDecimal={false}
            placeholder="Chosen by the studio"
            value={map.size ?? ''}
            disabled={readOnly}
            onChange={(value) => set({ size: value === '' ? undefined : Math.max(1, Number(value)) })}
          />
        )
      )}
      <Group grow align="flex-start" gap="sm">
        <NumberInput label="At once" min={1} max={MOST_SHARDS} allowDecimal={false} placeholder="As many as fit" value={map.at_once ?? ''} disabled={readOnly} onChange={(value) => set({ at_once: value === '' ? undefined : Math.max(1, Number(value)) })} />
        <Select
          label="Succeeds when"
          allowDeselect={false}
          disabled={readOnly}
          data={[
            { value: 'all', label: 'all succeed' },
            { value: 'any', label: 'any succeeds' },
            { value: 'some', label: 'at least … succeed' },
          ]}
          value={policy}
          onChange={(value) => set({ policy: value === 'some' ? 1 : value === 'any' ? 'any' : undefined })}
        />
      </Group>
      {typeof map.policy === 'number' && (
        <NumberInput label="At least so many must succeed" min={1} max={map.values?.length ?? MOST_SHARDS} allowDecimal={false} value={map.policy} disabled={readOnly} onChange={(value) => set({ policy: Math.max(1, Number(value) || 1) })} />
      )}
    </Stack>
  )
}

function RepeatFields({ repeat, component, readOnly, onChange }: { repeat: RepeatSpec; component: Component; readOnly: boolean; onChange: (repeat: RepeatSpec) => void }) {
  const set = (change: { [field in keyof RepeatSpec]?: RepeatSpec[field] | undefined }) => onChange(Object.fromEntries(Object.entries({ ...repeat, ...change }).filter(([, value]) => value !== undefined && value !== '')) as unknown as RepeatSpec)
  const carry = repeat.carry ?? {}
  return (
    <Stack gap="sm">
      <NumberInput label="At most so many rounds" min={1} max={MOST_ROUNDS} allowDecimal={false} value={repeat.at_most} disabled={readOnly} onChange={(value) => set({ at_most: Math.min(MOST_ROUNDS, Math.max(1, Number(value) || 1)) })} />
      <TextInput
        label="Until"
        description="A condition over the metrics it gives, and round. Empty: all rounds."
        placeholder="accuracy > 0.9"
        maxLength={4000}
        ff="monospace"
        value={repeat.until ?? ''}
        readOnly={readOnly}
        onChange={(event) => set({ until: event.currentTarget.value })}
      />
      {component.inputs.length > 0 && component.outputs.length > 0 && (
        <Stack gap={6} role="group" aria-label="What goes on to the next round">
          <Text size="sm" fw={500}>
            What goes on to the next round
          </Text>
          {component.inputs.map((input) => (
            <Select
              key={input.name}
              size="xs"
              label={`${input.title} takes`}
              disabled={readOnly}
              data={[{ value: '', label: 'the same in every round' }, ...component.outputs.filter((output) => kindsFit(output.kind, input.kind)).map((output) => ({ value: output.name, label: `${output.title} of the round before` }))]}
              value={carry[input.name] ?? ''}
              allowDeselect={false}
              onChange={(output) => {
                const { [input.name]: _old, ...rest } = carry
                const next = output ? { ...rest, [input.name]: output } : rest
                set({ carry: Object.keys(next).length > 0 ? next : undefined })
              }}
            />
          ))}
        </Stack>
      )}
    </Stack>
  )
}

/** Which classes of error are tried again; all that may help where none is marked. */
export function RetryOn({ id, step }: { id: string; step: Step }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  if (step.retries === 0) return null
  return (
    <Checkbox.Group
      label="Tried again after"
      description="None marked: after all that trying again may help with."
      value={[...(step.retry_on ?? [])]}
      onChange={(chosen) => editor.change(edit.setFlow(editor.graph, id, { retry_on: (Object.keys(ERROR_WORDS) as ErrorClass[]).filter((one) => chosen.includes(one)).sort() }), `Changed what ${editor.title(id)} is tried again after`)}
    >
      <Stack gap={8} mt={8}>
        {Object.entries(ERROR_WORDS).map(([name, words]) => (
          <Checkbox key={name} size="xs" value={name} label={words} disabled={readOnly} />
        ))}
      </Stack>
    </Checkbox.Group>
  )
}

/** What puts right what the step did, when its run fails or is cancelled. */
export function Compensation({ id, step, component, choices }: { id: string; step: Step; component: Component; choices: Choices }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const catalog = useEditorState((state) => state.catalog)
  const fitting = useMemo(() => undoingComponents(component, catalog.components.values()), [component, catalog])
  const chosen = step.undo ? catalog.components.get(step.undo.component) : undefined
  const say = (undo: Flow['undo'], together = '') => editor.change(edit.setFlow(editor.graph, id, { undo }), `Changed the compensation of ${editor.title(id)}`, together)
  const own = component.undo ? (catalog.components.get(component.undo)?.title ?? component.undo) : ''
  const schema = chosen?.parameters as JsonSchema | undefined
  return (
    <Stack gap="sm" role="group" aria-label="Compensation">
      <Select
        label="If the run fails, undo this by"
        description={own ? `Without a choice of yours, “${own}” does: the component says so.` : 'Runs when the run fails or is cancelled after this step succeeded; it gets this step’s inputs and outputs of the same names.'}
        placeholder={own || 'Nothing'}
        data={[...(step.undo && !fitting.some((one) => one.name === step.undo?.component) ? [{ value: step.undo.component, label: chosen?.title ?? step.undo.component }] : []), ...fitting.map((one) => ({ value: one.name, label: one.title }))]}
        value={step.undo?.component ?? null}
        onChange={(value) => say(value ? { component: value, parameters: {} } : undefined)}
        clearable
        searchable
        disabled={readOnly}
        nothingFoundMessage="No component can be fed from this step"
      />
      {own && !step.undo && (
        <Badge size="sm" variant="light" tt="none" leftSection={<IconArrowBackUp size={12} aria-hidden />}>
          {own}
        </Badge>
      )}
      {step.undo && schema && Object.keys(schema.properties ?? {}).length > 0 && (
        <Box pl="sm" style={{ borderLeft: '2px solid var(--hr-line)' }}>
          <SchemaForm
            key={step.undo.component}
            schema={schema}
            idPrefix={`undo-${id}`}
            context={choices}
            disabled={readOnly}
            value={step.undo.parameters}
            onChange={(parameters) => step.undo && say({ component: step.undo.component, parameters: Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined)) }, `undo:${id}`)}
          />
        </Box>
      )}
    </Stack>
  )
}
