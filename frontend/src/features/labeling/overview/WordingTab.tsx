/** The question and its guidelines, as they are and as they were; a new wording keeps what was said. */
import { Alert, Badge, Button, Group, Select, SimpleGrid, Skeleton, Stack, Text, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { notifyDone } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { configOf, useRefresh, wordingsQuery, type LabelSchema } from '../data'
import { Preview, Problems, useChecked } from '../schema/Question'
import classes from '../schema/schema.module.css'

export function WordingTab({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const query = useQuery(wordingsQuery(project, schema.slug))
  if (query.isPending) return <Skeleton h={300} />
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  const newest = query.data?.[0]
  return newest ? <Wording key={newest.number} schema={schema} versions={query.data} /> : null
}

function Wording({ schema, versions }: { schema: LabelSchema; versions: Awaited<ReturnType<NonNullable<ReturnType<typeof wordingsQuery>['queryFn']>>> }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const newest = versions[0]!
  const [xml, setXml] = useState(newest.xml)
  const [guidelines, setGuidelines] = useState(newest.guidelines)
  const [mapping, setMapping] = useState<Record<string, Record<string, string>>>({})
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const checked = useChecked(xml, schema.dataset, schema.slug)
  const edits = can('label.manage')
  const changed = xml !== newest.xml || guidelines !== newest.guidelines
  const touched = checked.data?.touched ?? []
  const open = touched.filter((one) => one.label === null || !mapping[one.control]?.[one.label])
  const usable = changed && Boolean(checked.data?.config) && checked.data?.problems.length === 0 && open.length === 0
  const path = { project, label_schema: schema.slug }

  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/versions', { params: { path }, body: { xml, guidelines, base: newest.number, mapping: touched.length > 0 ? mapping : {} } }))
      await refresh()
      notifyDone('The new wording is in use.')
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const config = checked.data?.config ? configOf(checked.data.config) : null
  return (
    <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
      <Stack gap="sm">
        <Textarea label="Label Studio's XML" classNames={{ input: classes.xml }} autosize minRows={8} maxRows={24} spellCheck={false} readOnly={!edits} value={xml} onChange={(event) => setXml(event.currentTarget.value)} />
        <Problems checked={checked.data} quiet={false} />
        {touched.length > 0 && (
          <Alert color="yellow" title="Labels in use">
            <Stack gap="xs">
              <Text size="sm">The new wording leaves out what annotations say. Choose what takes its place, or keep it.</Text>
              {touched.map((one) => {
                const control = config?.controls.find((found) => found.name === one.control)
                return one.label !== null && control ? (
                  <Select
                    key={one.control + one.label}
                    label={`${one.label} (${one.annotations.toLocaleString()} ×)`}
                    placeholder="becomes…"
                    data={control.labels.map((label) => label.value)}
                    value={mapping[one.control]?.[one.label] ?? null}
                    onChange={(value) => setMapping((before) => ({ ...before, [one.control]: { ...before[one.control], ...(value ? { [one.label ?? '']: value } : {}) } }))}
                  />
                ) : (
                  <Text size="sm" key={one.control + String(one.label)}>
                    The control “{one.control}” is used by {one.annotations.toLocaleString()} annotations; keep it.
                  </Text>
                )
              })}
            </Stack>
          </Alert>
        )}
        <Textarea label="Guidelines" description="In Markdown, shown beside the tool." autosize minRows={4} maxRows={16} readOnly={!edits} value={guidelines} onChange={(event) => setGuidelines(event.currentTarget.value)} />
        <ErrorNotice error={error} />
        {edits && (
          <Group>
            <Button disabled={!usable} loading={busy} onClick={() => void save()}>
              Save as wording {newest.number + 1}
            </Button>
            {changed && (
              <Button
                variant="default"
                onClick={() => {
                  setXml(newest.xml)
                  setGuidelines(newest.guidelines)
                  setMapping({})
                }}
              >
                Undo changes
              </Button>
            )}
          </Group>
        )}
        <Group gap={6}>
          {versions.map((one) => (
            <Badge key={one.number} color={one.number === newest.number ? 'blue' : 'gray'} title={`${one.created_by?.name || one.created_by?.email || 'Somebody'}, ${new Date(one.created_at).toLocaleString()}`}>
              wording {one.number}
            </Badge>
          ))}
        </Group>
      </Stack>
      <Preview checked={checked.data} dataset={schema.dataset} version={schema.filled || undefined} modality={schema.modality} />
    </SimpleGrid>
  )
}
