/** The pipeline's own parameters: what is filled in when a run starts, or by a pipeline that uses this one as a step. */
import { ActionIcon, Badge, Button, Group, Modal, NumberInput, Select, Stack, TagsInput, Text, Textarea, TextInput, Title, Tooltip } from '@mantine/core'
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'

import { declaredProblems, MOST_DECLARED } from '@/lib/declared'
import { plural } from '@/lib/format'

import * as edit from '../graph/edit'
import { referenceIn, type Declared } from '../graph/types'
import { useEditor, useEditorState, useGraph } from './hooks'
import classes from './panels.module.css'

const TYPES = { string: 'Text', number: 'Number', integer: 'Whole number', boolean: 'Yes or no' } as const
const FORMATS = { 'dataset-version': 'a data set', 'model-name': 'a model', 'endpoint-name': 'an endpoint', date: 'a date', multiline: 'several lines' } as const

export function ParametersPanel() {
  const editor = useEditor()
  const graph = useGraph()
  const readOnly = useEditorState((state) => state.readOnly)
  const [open, setOpen] = useState<{ name: string | null } | null>(null)
  const declared = Object.entries(graph.parameters ?? {})
  const uses = (name: string) => Object.values(graph.steps).reduce((sum, step) => sum + Object.values(step.parameters).filter((value) => referenceIn(value)?.kind === '$parameter' && referenceIn(value)?.name === name).length, 0)
  return (
    <Stack gap="sm" p="md" component="section" aria-labelledby="pipeline-parameters" data-pipeline-parameters>
      <div>
        <Title order={2} size="h4" id="pipeline-parameters">
          Parameters of the pipeline
        </Title>
        <Text size="xs" c="dimmed" mt={2}>
          Filled in when a run starts. A step takes one through the link sign beside its field.
        </Text>
      </div>
      {declared.map(([name, one]) => (
        <Group key={name} justify="space-between" wrap="nowrap" className={classes.declared}>
          <div style={{ minWidth: 0 }}>
            <Group gap={6}>
              <Text size="sm" fw={600}>
                {one.title || name}
              </Text>
              <Badge size="xs" variant="default" tt="none" ff="monospace" fw={500}>
                {name}
              </Badge>
            </Group>
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {one.format ? FORMATS[one.format] : TYPES[one.type].toLowerCase()}
              {one.default !== undefined ? `, ${String(one.default)} unless said otherwise` : ', must be said'} · {uses(name) === 0 ? 'no step takes it yet' : `taken at ${plural(uses(name), 'place')}`}
            </Text>
          </div>
          {!readOnly && (
            <Group gap={2} wrap="nowrap">
              <Tooltip label="Change it">
                <ActionIcon size={28} aria-label={`Change the parameter ${one.title || name}`} onClick={() => setOpen({ name })}>
                  <IconPencil size={15} aria-hidden />
                </ActionIcon>
              </Tooltip>
              <Tooltip label={uses(name) > 0 ? 'Remove it; undo brings it back' : 'Remove it'}>
                <ActionIcon
                  size={28}
                  aria-label={`Remove the parameter ${one.title || name}`}
                  onClick={() => editor.change(edit.setDeclared(editor.graph, Object.fromEntries(declared.filter(([other]) => other !== name))), `Removed the parameter ${one.title || name}`)}
                >
                  <IconTrash size={15} aria-hidden />
                </ActionIcon>
              </Tooltip>
            </Group>
          )}
        </Group>
      ))}
      {!readOnly && declared.length < MOST_DECLARED && (
        <Button size="xs" variant="default" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setOpen({ name: null })}>
          Add a parameter
        </Button>
      )}
      <Modal opened={open !== null} onClose={() => setOpen(null)} title={<Text fw={620}>{open?.name ? 'Change the parameter' : 'A parameter of the pipeline'}</Text>}>
        {open && <Declare name={open.name} onClose={() => setOpen(null)} />}
      </Modal>
    </Stack>
  )
}

/** Kept only when it is right: a declaration that does not hold together would be lost when the draft is saved. */
function Declare({ name: before, onClose }: { name: string | null; onClose: () => void }) {
  const editor = useEditor()
  const all = editor.graph.parameters ?? {}
  const [name, setName] = useState(before ?? '')
  const [one, setOne] = useState<Declared>((before ? all[before] : undefined) ?? { type: 'string' })
  const [tried, setTried] = useState(false)
  const problems = declaredProblems({ name, declared: one }, new Set(Object.keys(all).filter((other) => other !== before)))
  const wrong = tried ? problems : {}
  const set = (change: { [field in keyof Declared]?: Declared[field] | undefined }) => setOne((now) => Object.fromEntries(Object.entries({ ...now, ...change }).filter(([, value]) => value !== undefined && value !== '')) as unknown as Declared)
  const number = one.type === 'number' || one.type === 'integer'
  const save = () => {
    setTried(true)
    if (Object.keys(problems).length > 0) return
    const others = Object.entries(all).filter(([other]) => other !== before)
    const next = Object.fromEntries([...others, [name, one] as const].sort(([a], [b]) => (a < b ? -1 : 1)))
    editor.change(edit.setDeclared(editor.graph, next, before && before !== name ? { from: before, to: name } : undefined), before ? `Changed the parameter ${one.title || name}` : `Added the parameter ${one.title || name}`)
    onClose()
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <Stack gap="sm">
        <TextInput label="Name" description="How steps, YAML and programs call it." required ff="monospace" maxLength={60} value={name} error={wrong.name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
        <TextInput label="Title" placeholder="What people see" maxLength={120} value={one.title ?? ''} onChange={(event) => set({ title: event.currentTarget.value })} />
        <Textarea label="Help" autosize minRows={1} maxLength={500} value={one.description ?? ''} onChange={(event) => set({ description: event.currentTarget.value })} />
        <Group grow align="flex-start">
          <Select
            label="Type"
            allowDeselect={false}
            data={Object.entries(TYPES).map(([value, label]) => ({ value, label }))}
            value={one.type}
            // Limits, choices and the default of another type mean nothing.
            onChange={(type) => type && setOne(({ title, description }) => ({ type: type as Declared['type'], ...(title ? { title } : {}), ...(description ? { description } : {}) }))}
          />
          {one.type === 'string' && <Select label="It names" placeholder="Any text" clearable data={Object.entries(FORMATS).map(([value, label]) => ({ value, label }))} value={one.format ?? null} onChange={(format) => set({ format: (format ?? undefined) as Declared['format'] })} />}
        </Group>
        {one.type === 'boolean' ? (
          <Select label="Unless said otherwise" placeholder="Must be said" clearable data={['yes', 'no']} value={one.default === undefined ? null : one.default ? 'yes' : 'no'} onChange={(value) => set({ default: value === null ? undefined : value === 'yes' })} />
        ) : number ? (
          <NumberInput label="Unless said otherwise" placeholder="Must be said" allowDecimal={one.type === 'number'} value={typeof one.default === 'number' ? one.default : ''} error={wrong.default} onChange={(value) => set({ default: value === '' ? undefined : Number(value) })} />
        ) : (
          <TextInput label="Unless said otherwise" placeholder="Must be said" value={typeof one.default === 'string' ? one.default : ''} error={wrong.default} onChange={(event) => set({ default: event.currentTarget.value })} />
        )}
        {number && (
          <Group grow align="flex-start">
            <NumberInput label="At least" value={one.minimum ?? ''} onChange={(value) => set({ minimum: value === '' ? undefined : Number(value) })} />
            <NumberInput label="At most" value={one.maximum ?? ''} error={wrong.maximum} onChange={(value) => set({ maximum: value === '' ? undefined : Number(value) })} />
          </Group>
        )}
        {one.type !== 'boolean' && (
          <TagsInput
            label="Choices"
            description="Empty: any value."
            placeholder={one.enum ? undefined : 'Type and press Enter'}
            value={(one.enum ?? []).map(String)}
            error={wrong.enum}
            acceptValueOnBlur
            onChange={(values) => set({ enum: values.length === 0 ? undefined : values.map((value) => (number ? Number(value) : value)) })}
          />
        )}
        <Group justify="flex-end" gap="xs" mt="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit">{before ? 'Change' : 'Add'}</Button>
        </Group>
      </Stack>
    </form>
  )
}
