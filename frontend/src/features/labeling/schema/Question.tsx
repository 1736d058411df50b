/** Asking a question: by a form, or as Label Studio's XML; beside it what annotators will see, on a real item. */
import { Alert, Code, SegmentedControl, Select, Stack, Switch, TagsInput, Text, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useProjectSlug } from '@/api/me'
import { Editor, useEditor, type LabelConfig } from '../editor'
import { configOf } from '../data'
import { compares } from './comparisons'
import { KINDS, makesRegions, questionOf, takesLabels, toXml, WHOLE_ROW, type Built, type Kind, type Modality } from './templates'
import classes from './schema.module.css'

export type Checked = Schemas['WordingCheckOut']

/** What the studio says of an XML; the last answer stays while the next is on its way. */
export function useChecked(xml: string, dataset: string | undefined, schema?: string) {
  const project = useProjectSlug()
  const [asked] = useDebouncedValue(xml, 300)
  return useQuery({
    queryKey: [...keys.labelSchemas(project), 'check', asked, dataset, schema],
    enabled: Boolean(asked.trim()),
    placeholderData: keepPreviousData,
    queryFn: () => unwrap(api.POST('/api/v1/projects/{project}/label-schemas/check', { params: { path: { project } }, body: { xml: asked, dataset: dataset ?? null, label_schema: schema ?? null } })),
  })
}

const EXAMPLES: Partial<Record<Kind, string>> = { spans: 'Person', speakers: 'Anna', events: 'Doorbell', tracks: 'Car' }

export function QuestionForm({ built, modality, columns, onChange }: { built: Built; modality: Modality; columns: string[]; onChange: (built: Built) => void }) {
  const set = (part: Partial<Built>) => onChange({ ...built, ...part })
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => KINDS[kind].modalities.includes(modality))
  return (
    <Stack gap="sm">
      <Select label="What do people give?" allowDeselect={false} data={kinds.map((kind) => ({ value: kind, label: KINDS[kind].label }))} value={built.kind} onChange={(kind) => kind && set({ kind: kind as Kind, ...(built.question === questionOf(built.kind, modality) ? { question: questionOf(kind as Kind, modality) } : {}) })} description={KINDS[built.kind].description} />
      {compares(built.kind) && <Compared built={built} columns={columns} onChange={set} />}
      {modality === 'table' && !compares(built.kind) && <Select label="What is shown" allowDeselect={false} searchable data={columns.includes(WHOLE_ROW) || makesRegions(built.kind) ? columns : [{ value: WHOLE_ROW, label: 'The whole row' }, ...columns]} value={built.column} onChange={(column) => column && set({ column })} />}
      <TextInput label="Question" value={built.question} maxLength={500} onChange={(event) => set({ question: event.currentTarget.value })} />
      {takesLabels(built.kind) && (
        <TagsInput
          label={built.kind === 'classes' ? 'Classes' : 'Labels'}
          description="Type one, press Enter; paste many, separated by commas. The first nine have the keys 1 to 9."
          placeholder={built.labels.length === 0 ? (EXAMPLES[built.kind] ?? 'cat') : undefined}
          splitChars={[',', '\n', '\t']}
          value={built.labels}
          onChange={(labels) => set({ labels })}
          clearable
        />
      )}
      {built.kind === 'skeletons' && (
        <TagsInput
          label="Lines between points (optional)"
          description="Two labels with a - between them. Without any, each point is joined to the next."
          placeholder={built.bones.length === 0 && built.labels.length > 1 ? `${built.labels[0]}-${built.labels[1]}` : undefined}
          splitChars={[',', '\n', '\t']}
          value={built.bones}
          onChange={(bones) => set({ bones })}
          clearable
        />
      )}
      {built.kind === 'classes' && <Switch label="Several classes may fit" checked={built.multiple} onChange={(event) => set({ multiple: event.currentTarget.checked })} />}
      {makesRegions(built.kind) && <TagsInput label="Classes of the whole item (optional)" splitChars={[',', '\n', '\t']} value={built.classes} onChange={(found) => set({ classes: found })} clearable />}
    </Stack>
  )
}

/** The columns of what is compared, and of the question it answers. */
function Compared({ built, columns, onChange }: { built: Built; columns: string[]; onChange: (part: Partial<Built>) => void }) {
  const choose = (label: string, value: string, name: 'first' | 'other' | 'list', description?: string) => <Select label={label} description={description} allowDeselect={false} searchable data={columns} value={value || null} onChange={(column) => column && onChange({ [name]: column })} />
  return (
    <>
      <Select label="Column of the prompt" description="Shown above; the question that is answered." placeholder="None" clearable searchable data={columns} value={built.prompt || null} onChange={(prompt) => onChange({ prompt: prompt ?? '' })} />
      {built.kind === 'ranking' ? (
        choose('Column of the list', built.list, 'list', 'A list of texts, or of objects with id, title and body.')
      ) : (
        <>
          {choose('Column of the first answer', built.first, 'first')}
          {choose('Column of the second answer', built.other, 'other')}
        </>
      )}
    </>
  )
}

export type Wording = { xml: string; by: 'form' | 'xml'; built: Built }

export function Question({ wording, modality, columns, checked, onChange }: { wording: Wording; modality: Modality; columns: string[]; checked: Checked | undefined; onChange: (wording: Wording) => void }) {
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="How to ask"
        data={[
          { value: 'form', label: 'By a form' },
          { value: 'xml', label: 'As XML' },
        ]}
        value={wording.by}
        onChange={(by) => onChange(by === 'form' ? { ...wording, by: 'form', xml: toXml(wording.built, modality) } : { ...wording, by: 'xml' })}
      />
      {wording.by === 'form' ? (
        <QuestionForm built={wording.built} modality={modality} columns={columns} onChange={(built) => onChange({ ...wording, built, xml: toXml(built, modality) })} />
      ) : (
        <Textarea
          label="Label Studio's XML"
          description="A configuration from Label Studio pastes in."
          classNames={{ input: classes.xml }}
          autosize
          minRows={10}
          maxRows={26}
          spellCheck={false}
          value={wording.xml}
          onChange={(event) => onChange({ ...wording, xml: event.currentTarget.value })}
        />
      )}
      <Problems checked={checked} quiet={wording.by === 'form' && takesLabels(wording.built.kind) && wording.built.labels.length === 0} />
    </Stack>
  )
}

export function Problems({ checked, quiet }: { checked: Checked | undefined; quiet: boolean }) {
  if (!checked || checked.problems.length === 0 || quiet) return null
  return (
    <Alert color="red" role="alert" title="This cannot be used yet">
      <Stack gap={4}>
        {checked.problems.map((problem, place) => (
          <Text size="sm" key={place}>
            <Code>{problem.field}</Code> {problem.message}
            {problem.expected ? ` Right would be: ${problem.expected}` : ''}
          </Text>
        ))}
      </Stack>
    </Alert>
  )
}

type Sample = { data: Record<string, unknown>; url: string | null }

/** The first item of a data set version, as the editor wants it. */
function useSample(dataset: string, version: number | undefined, modality: Modality): Sample | undefined {
  const project = useProjectSlug()
  const path = { project, dataset, number: version ?? 0 }
  return useQuery({
    queryKey: [...keys.datasets(project), dataset, version, 'sample', modality],
    enabled: Boolean(dataset && version),
    queryFn: async (): Promise<Sample> => {
      if (modality === 'table') {
        const found = (await unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/rows', { params: { path, query: { limit: 1 } } }))) as Schemas['RowsOut']
        return { data: Object.fromEntries(found.columns.map((column, place) => [column.name, (found.rows[0] as unknown[] | undefined)?.[place]])), url: null }
      }
      const found = (await unwrap(api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/items', { params: { path, query: { limit: 1 } } }))) as Schemas['ItemsOut']
      const url = found.items[0]?.screen_url ?? null
      if (modality !== 'text' || url === null) return { data: {}, url }
      return { data: { text: await (await fetch(url, { credentials: 'same-origin' })).text() }, url }
    },
  }).data
}

export function Preview({ checked, dataset, version, modality }: { checked: Checked | undefined; dataset: string; version: number | undefined; modality: Modality }) {
  const sample = useSample(dataset, version, modality)
  // The last config that could be used stays in view while the next is being typed.
  const [config, setConfig] = useState<LabelConfig | null>(null)
  useEffect(() => {
    if (checked?.config) setConfig(configOf(checked.config))
  }, [checked])
  if (!config || !sample) {
    return (
      <div className={classes.preview} data-empty>
        <Text size="sm" c="dimmed" ta="center">
          What annotators will see appears here, on the first item of the data set.
        </Text>
      </div>
    )
  }
  return (
    <div className={classes.preview}>
      <Tried config={config} sample={sample} modality={modality} />
    </div>
  )
}

function Tried({ config, sample, modality }: { config: LabelConfig; sample: Sample; modality: Modality }) {
  const data = modality === 'text' ? Object.fromEntries(config.objects.map((object) => [object.value, sample.data.text])) : sample.data
  const urls = sample.url ? Object.fromEntries(config.objects.map((object) => [object.name, sample.url ?? ''])) : {}
  const editor = useEditor({ key: 'sample', config, item: { data, urls }, result: [] })
  return <Editor editor={editor} />
}
