/** Make or change a trigger: its kind by card, the kind's form, the pipeline with what it is given, and limits. */
import { Accordion, Alert, Button, Drawer, Group, NumberInput, Radio, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconArrowLeft, IconKey } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, isApiError, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { plural } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { check, SchemaForm, type JsonSchema } from '@/ui/schema-form'
import { curlOf, kindIcon, kindsQuery, timesQuery, useChoices, type Body, type Kind, type Trigger } from './data'
import { Given } from './Given'
import classes from './triggers.module.css'

type Values = Record<string, unknown>
type Props = { project: string; opened: boolean; onClose: () => void; trigger?: Trigger; kind?: string }

export function TriggerDrawer({ project, opened, onClose, trigger, kind }: Props) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="min(100vw, 40rem)" title={<Text fw={620}>{trigger ? `Change “${trigger.name}”` : 'New trigger'}</Text>} keepMounted={false}>
      {opened && <Content project={project} trigger={trigger} first={kind} onClose={onClose} />}
    </Drawer>
  )
}

function Content({ project, trigger, first, onClose }: { project: string; trigger?: Trigger; first?: string; onClose: () => void }) {
  const kinds = useQuery(kindsQuery(project))
  const [chosen, setChosen] = useState<string | null>(trigger?.kind ?? first ?? null)
  const [made, setMade] = useState<Trigger | null>(null)
  const kind = kinds.data?.find((k) => k.name === chosen)
  if (made?.url && made.secret) return <Secret trigger={made} onClose={onClose} project={project} />
  if (kinds.error) return <ErrorNotice error={kinds.error} onRetry={() => void kinds.refetch()} />
  if (!kind) {
    return (
      <Radio.Group value={chosen} onChange={setChosen} label="What starts the run?" labelProps={{ mb: 8 }}>
        <div className={classes.cards}>
          {kinds.data?.map((k) => {
            const IconOf = kindIcon(k.name)
            return (
              <Radio.Card key={k.name} value={k.name} p="sm" radius="md" display="flex" style={{ alignItems: 'flex-start' }} aria-label={k.title} onClick={() => setChosen(k.name)}>
                <Group gap="sm" wrap="nowrap" align="flex-start">
                  <IconOf size={22} stroke={1.6} style={{ flex: 'none' }} aria-hidden />
                  <div>
                    <Text size="sm" fw={600}>
                      {k.title}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {k.about}
                    </Text>
                  </div>
                </Group>
              </Radio.Card>
            )
          })}
        </div>
      </Radio.Group>
    )
  }
  return <Fields project={project} kind={kind} trigger={trigger} onBack={trigger ? undefined : () => setChosen(null)} onClose={onClose} onSecret={setMade} />
}

function startValues(kind: Kind): Values {
  const properties = (kind.config_schema as JsonSchema).properties ?? {}
  return Object.fromEntries(Object.entries(properties).flatMap(([name, s]) => (s.default === undefined || s.default === null ? [] : [[name, s.default]])))
}

function Fields({ project, kind, trigger, onBack, onClose, onSecret }: { project: string; kind: Kind; trigger?: Trigger; onBack?: () => void; onClose: () => void; onSecret: (made: Trigger) => void }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const choices = useChoices(project)
  const [name, setName] = useState(trigger?.name ?? '')
  const [config, setConfig] = useState<Values>(trigger ? { ...startValues(kind), ...trigger.config } : startValues(kind))
  const [pipeline, setPipeline] = useState<string | null>(trigger?.pipeline ?? null)
  const [version, setVersion] = useState<number | null>(trigger?.version ?? null)
  const [parameters, setParameters] = useState(trigger?.parameters ?? {})
  const [mapping, setMapping] = useState(trigger?.mapping ?? {})
  const [priority, setPriority] = useState(trigger?.priority ?? 'normal')
  const [limits, setLimits] = useState({ most_per_hour: trigger?.most_per_hour ?? 60, most_at_once: trigger?.most_at_once ?? 1, coalesce_s: trigger?.coalesce_s ?? 0 })
  const found = choices.pipelines.find((p) => p.slug === pipeline)
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim() || suggested(kind, found?.name), pipeline: pipeline ?? '', version, config, parameters, mapping, priority, ...limits } as Body
      return trigger
        ? unwrap(api.PATCH('/api/v1/projects/{project}/triggers/{trigger}', { params: { path: { project, trigger: trigger.slug } }, body }))
        : unwrap(api.POST('/api/v1/projects/{project}/triggers', { params: { path: { project } }, body: { ...body, kind: kind.name, enabled: true } }))
    },
    onSuccess: (made) => {
      void client.invalidateQueries({ queryKey: keys.triggers(project) })
      if (made.secret) return onSecret(made)
      onClose()
      if (!trigger) void navigate({ to: '/p/$project/triggers/$trigger', params: { project, trigger: made.slug } })
    },
  })
  const told = isApiError(save.error) ? save.error.fields : {}
  const of = (prefix: string) => Object.fromEntries(Object.entries(told).filter(([field]) => field.startsWith(`${prefix}.`)).map(([field, message]) => [field.slice(prefix.length + 1), message]))
  const schema = kind.config_schema as JsonSchema
  const wrong = check(schema, config)
  const elsewhere = Object.keys(told).some((field) => /^(config|parameters|mapping|name|pipeline)\b/.test(field)) ? null : save.error
  const count = [parameters, mapping].reduce((sum, all) => sum + Object.values(all).reduce((n, values) => n + Object.keys(values).length, 0), 0)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <Stack gap="md">
        {onBack && (
          <Button variant="subtle" size="compact-sm" leftSection={<IconArrowLeft size={14} aria-hidden />} onClick={onBack} style={{ alignSelf: 'flex-start' }}>
            Another kind
          </Button>
        )}
        <div>
          <Text fw={600}>{kind.title}</Text>
          <Text size="sm" c="dimmed">
            {kind.about}
          </Text>
        </div>
        <TextInput label="Name" placeholder={suggested(kind, found?.name)} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={120} error={told.name} data-autofocus />
        <SchemaForm schema={schema} value={config} onChange={setConfig} context={{ ...choices.context, kept: trigger?.secrets_set }} errors={of('config')} idPrefix="trigger" />
        {kind.name === 'cron' && <Times project={project} schedule={String(config.schedule ?? '')} timeZone={String(config.time_zone ?? 'UTC')} />}
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <Select
            label="Pipeline to run"
            data={choices.pipelines.map((p) => ({ value: p.slug, label: p.name, disabled: p.latest_version === null }))}
            value={pipeline}
            onChange={(slug) => {
              setPipeline(slug)
              setVersion(null)
              setParameters({})
              setMapping({})
            }}
            error={told.pipeline}
            description="Only published versions are run."
            placeholder={choices.loading ? 'Loading…' : choices.pipelines.length ? 'Choose a pipeline' : 'Draw and publish one first'}
            searchable
            allowDeselect={false}
            withAsterisk
          />
          <Select
            label="Version"
            data={[{ value: 'newest', label: `The newest${found?.latest_version ? ` (now ${found.latest_version})` : ''}` }, ...Array.from({ length: found?.latest_version ?? 0 }, (_, i) => String(i + 1)).reverse().map((n) => ({ value: n, label: n }))]}
            value={version === null ? 'newest' : String(version)}
            onChange={(value) => setVersion(value === 'newest' || value === null ? null : Number(value))}
            description="A fixed one stays as it is."
            disabled={!found}
            allowDeselect={false}
          />
        </SimpleGrid>
        <Accordion variant="contained" chevronPosition="left" multiple defaultValue={Object.keys({ ...of('parameters'), ...of('mapping') }).length ? ['given'] : []}>
          <Accordion.Item value="given">
            <Accordion.Control disabled={!found?.latest_version}>
              <Text size="sm">
                Parameters {count > 0 && <Text span size="sm" c="dimmed">{`(${plural(count, 'one', 'ones')} set)`.replace(/ ones?/, '')}</Text>}
              </Text>
            </Accordion.Control>
            <Accordion.Panel>
              {found?.latest_version && (
                <Given
                  project={project}
                  pipeline={found.slug}
                  version={version ?? found.latest_version}
                  parameters={parameters}
                  mapping={mapping}
                  onParameters={setParameters}
                  onMapping={setMapping}
                  errors={told}
                  example={kind.example}
                  datasets={choices.context.datasets}
                />
              )}
            </Accordion.Panel>
          </Accordion.Item>
          <Accordion.Item value="limits">
            <Accordion.Control>
              <Text size="sm">
                Limits{' '}
                <Text span size="sm" c="dimmed">
                  ({priority} priority, {limits.most_at_once} at once, {limits.most_per_hour} an hour{limits.coalesce_s ? `, together within ${limits.coalesce_s} s` : ''})
                </Text>
              </Text>
            </Accordion.Control>
            <Accordion.Panel>
              <Stack gap="md">
                <Select
                  label="Priority of its runs"
                  allowDeselect={false}
                  data={[
                    { value: 'low', label: 'Low' },
                    { value: 'normal', label: 'Normal' },
                    { value: 'high', label: 'High' },
                    { value: 'urgent', label: 'Urgent' },
                  ]}
                  value={priority}
                  onChange={(value) => setPriority((value ?? 'normal') as typeof priority)}
                />
                <NumberInput label="Runs at once" description="Further events wait until one of them has ended." min={1} max={1000} allowDecimal={false} value={limits.most_at_once} onChange={(v) => setLimits({ ...limits, most_at_once: Number(v) || 1 })} error={told.most_at_once} />
                <NumberInput label="Runs an hour" description="Events beyond are kept but start nothing; they can be replayed." min={1} max={10_000} allowDecimal={false} value={limits.most_per_hour} onChange={(v) => setLimits({ ...limits, most_per_hour: Number(v) || 1 })} error={told.most_per_hour} />
                <NumberInput label="Seconds to wait for more" description="Events that come within this time start one run, with what the newest says. 0: each event starts its own." min={0} max={86_400} allowDecimal={false} value={limits.coalesce_s} onChange={(v) => setLimits({ ...limits, coalesce_s: Number(v) || 0 })} error={told.coalesce_s} />
              </Stack>
            </Accordion.Panel>
          </Accordion.Item>
        </Accordion>
        {elsewhere ? <ErrorNotice error={elsewhere} /> : save.error ? <ErrorNotice error={save.error} title="Something is not right yet" /> : null}
        <Text size="xs" c="dimmed">
          Its runs start in your name and may do what you may.
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!pipeline || wrong.length > 0}>
            {trigger ? 'Save' : 'Create the trigger'}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

const suggested = (kind: Kind, pipeline: string | undefined) => (pipeline ? `${pipeline}: ${kind.title.toLowerCase()}` : kind.title)

/** When a schedule would run next, as it is typed. */
function Times({ project, schedule, timeZone }: { project: string; schedule: string; timeZone: string }) {
  const [typed] = useDebouncedValue(`${schedule}|${timeZone}`, 300)
  const [asked = '', zone = 'UTC'] = typed.split('|')
  const query = useQuery({ ...timesQuery(project, asked, zone), enabled: asked !== '' })
  if (isApiError(query.error)) return <Alert color="red" p="xs" title={query.error.message} role="status" />
  return (
    <div role="status" aria-label="The next times">
      <Text size="xs" c="dimmed" mb={2}>
        The next times, by the clock of {zone}
      </Text>
      <ul className={classes.times}>
        {query.data?.times.map((time) => (
          <li key={time}>{new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', timeZone: zone }).format(new Date(time))}</li>
        ))}
      </ul>
    </div>
  )
}

/** Shown once: the address and the secret of a webhook. */
export function Secret({ trigger, project, onClose }: { trigger: Trigger; project: string; onClose: () => void }) {
  const navigate = useNavigate()
  return (
    <Stack gap="md">
      <Alert color="yellow" icon={<IconKey aria-hidden />} title="Copy the secret now: it is shown only once">
        <Text size="sm">Who has it can start runs of {trigger.pipeline_name}. A new one can be made at any time, which ends this one.</Text>
      </Alert>
      <div>
        <Text size="sm" fw={600} mb={4}>
          Address
        </Text>
        <CodeSnippet code={trigger.url ?? ''} label="Copy the address" />
      </div>
      <div>
        <Text size="sm" fw={600} mb={4}>
          Secret
        </Text>
        <CodeSnippet code={trigger.secret ?? ''} label="Copy the secret" />
      </div>
      <div>
        <Text size="sm" fw={600} mb={4}>
          A signed request
        </Text>
        <CodeSnippet code={curlOf(trigger.url ?? '', trigger.secret ?? '')} label="Copy the command" />
        <Text size="xs" c="dimmed" mt={6}>
          GitHub’s own signature is understood too: give GitHub this address and secret, with content type application/json. CloudEvents are known by their source and id.
        </Text>
      </div>
      <Group justify="flex-end">
        <Button
          onClick={() => {
            onClose()
            void navigate({ to: '/p/$project/triggers/$trigger', params: { project, trigger: trigger.slug }, search: {} })
          }}
        >
          I have copied it
        </Button>
      </Group>
    </Stack>
  )
}

