import { Alert, Badge, Button, Collapse, Group, Loader, Paper, Progress, Select, Stack, Switch, TagsInput, Text, Title, UnstyledButton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconChevronDown, IconChevronUp, IconInfoCircle } from '@tabler/icons-react'
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { percent, plural } from '@/lib/format'
import { notifyDone, notifyError } from '@/ui/confirm'
import { ErrorNotice, ProblemList } from '@/ui/ErrorNotice'
import { changed, dateChoices, decimalChoices, delimiterChoices, encodingChoices, sentNulls, shownNulls, summary, thousandsChoices, type Options, type Reading } from './reading'
import { ReadingPreview } from './ReadingPreview'
import classes from './ReadingPanel.module.css'

type Version = Schemas['DatasetVersionOut']
type Place = { project: string; dataset: string; number: number }

const told = (problems: { field?: string | null; message: string; expected?: string }[]) => problems.map((p) => ({ field: p.field ?? '', message: p.message, expected: p.expected ?? '' }))

/** How a draft's file is read: what was found out, to be looked at under other options and read again. */
export function ReadingPanel({ project, dataset, version, reading }: { project: string; dataset: string; version: Version; reading: Reading }) {
  const place = { project, dataset, number: version.number }
  const [open, setOpen] = useState(false)
  const notices = reading.notices ?? []
  const upload = useReading(place, reading)
  const busy = upload.data?.status === 'processing'
  return (
    <Paper component="section" aria-label="How the file is read" mb="md" className={classes.panel}>
      <UnstyledButton className={classes.head} onClick={() => setOpen(!open)} aria-expanded={open}>
        <div className={classes.words}>
          <Group gap="xs">
            <Title order={2} size="h4">
              How the file is read
            </Title>
            {notices.length > 0 && <Badge color="yellow">{plural(notices.length, 'note')}</Badge>}
            {busy && <Loader size={14} aria-hidden />}
          </Group>
          <Text size="sm" c="dimmed">
            {summary(reading)}
          </Text>
        </div>
        {open ? <IconChevronUp size={18} aria-hidden /> : <IconChevronDown size={18} aria-hidden />}
      </UnstyledButton>
      {notices.length > 0 && !open && <Notices notices={notices.slice(0, 2)} more={notices.length - 2} />}
      {busy && <Busy place={place} upload={upload.data!} />}
      {!busy && upload.data?.status === 'failed' && (
        <Alert color="red" m="md" mt={0} title="It could not be read so; the version is as it was">
          <ProblemList problems={told(upload.data.problems)} />
        </Alert>
      )}
      <Collapse expanded={open}>{open && <Choices key={version.number} place={place} reading={reading} nulls={version.null_values} busy={busy} />}</Collapse>
    </Paper>
  )
}

/** The upload that carries a re-reading; the version is asked for again when one ends. */
function useReading({ project }: Place, reading: Reading) {
  const client = useQueryClient()
  const id = reading.upload ?? ''
  const key = [...keys.uploads(project), id]
  const upload = useQuery({
    queryKey: key,
    enabled: id !== '',
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/uploads/{upload_id}', { params: { path: { project, upload_id: id } } })),
    refetchInterval: (query) => (query.state.data?.status === 'processing' ? 1500 : false),
  })
  useLive('project', (event) => {
    if (event.type === 'upload_changed' && String(event.upload) === id) void client.invalidateQueries({ queryKey: key })
  })
  const status = upload.data?.status
  const before = useRef(status)
  useEffect(() => {
    if (before.current === 'processing' && status !== 'processing') {
      void client.invalidateQueries({ queryKey: keys.datasets(project) })
      if (status === 'ready') notifyDone('The file was read again.')
    }
    before.current = status
  }, [status, client, project])
  return upload
}

function Busy({ place, upload }: { place: Place; upload: Schemas['UploadOut'] }) {
  const client = useQueryClient()
  const stop = useMutation({
    mutationFn: () => unwrap(api.DELETE('/api/v1/projects/{project}/uploads/{upload_id}', { params: { path: { project: place.project, upload_id: upload.id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.uploads(place.project) }),
    onError: notifyError,
  })
  return (
    <Group px="md" pb="md" gap="md" role="status">
      <Progress value={Math.max(4, upload.progress * 100)} animated flex={1} miw={120} aria-label="Read again" />
      <Text size="sm" c="dimmed" className="tabular">
        {upload.message || 'reading'} · {percent(upload.progress, 0)}
      </Text>
      <Button size="xs" variant="default" loading={stop.isPending} onClick={() => stop.mutate()}>
        Cancel
      </Button>
    </Group>
  )
}

function Notices({ notices, more = 0 }: { notices: NonNullable<Reading['notices']>; more?: number }) {
  if (notices.length === 0) return null
  return (
    <ul className={classes.notices}>
      {notices.map((n, i) => (
        <li key={i}>
          <IconInfoCircle size={16} aria-hidden />
          <Text size="sm">
            <b>{n.field}</b>: {n.message}
          </Text>
        </li>
      ))}
      {more > 0 && (
        <li>
          <Text size="sm" c="dimmed">
            and {more} more
          </Text>
        </li>
      )}
    </ul>
  )
}

function Choices({ place, reading, nulls, busy }: { place: Place; reading: Reading; nulls: string[]; busy: boolean }) {
  const client = useQueryClient()
  const [said, setSaid] = useState<Options>(reading.options)
  const [wanted] = useDebouncedValue(said, 250)
  const path = { project: place.project, dataset: place.dataset, number: place.number }
  const preview = useQuery({
    queryKey: [...keys.datasets(place.project), place.dataset, 'preview', place.number, wanted],
    placeholderData: keepPreviousData,
    queryFn: () => unwrap(api.POST('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/preview', { params: { path }, body: wanted })),
  })
  const apply = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/reread', { params: { path }, body: said })),
    onSuccess: (upload) => client.setQueryData([...keys.uploads(place.project), upload.id], upload),
  })
  const now: Reading = { ...reading, ...(preview.data?.reading ?? {}) }
  const set = (part: Partial<Options>) => setSaid((was) => changed(was, part))
  const text = reading.format === 'csv'
  const cells = text || reading.format === 'excel'
  const decimal = said.decimal ?? now.decimal ?? '.'
  const same = JSON.stringify(said) === JSON.stringify(reading.options)
  const found = (key: keyof Options) => (said[key] === null || said[key] === undefined ? 'Found in the file' : 'As you chose')
  return (
    <Stack gap="md" px="md" pb="md" pt="xs">
      <Notices notices={preview.data?.reading?.notices ?? reading.notices ?? []} />
      <div className={classes.choices}>
        {reading.format === 'excel' && <Select label="Sheet" description={found('sheet')} data={reading.sheets ?? []} value={said.sheet ?? now.sheet ?? null} allowDeselect={false} searchable onChange={(sheet) => set({ sheet })} />}
        {text && <Select label="Delimiter" description={found('delimiter')} data={delimiterChoices(now.delimiter)} value={said.delimiter ?? now.delimiter ?? null} allowDeselect={false} onChange={(delimiter) => set({ delimiter })} />}
        {(text || reading.format === 'jsonl') && (
          <Select label="Encoding" description={found('encoding')} data={encodingChoices} value={said.encoding ?? now.encoding ?? null} allowDeselect={false} onChange={(encoding) => set({ encoding: encoding as Options['encoding'] })} />
        )}
        {cells && <Select label="Decimal mark" description={found('decimal')} data={decimalChoices} value={decimal} allowDeselect={false} onChange={(mark) => set({ decimal: mark as Options['decimal'] })} />}
        {cells && (
          <Select label="Thousands" description={found('thousands')} data={thousandsChoices(decimal)} value={said.thousands ?? now.thousands ?? ''} allowDeselect={false} onChange={(mark) => set({ thousands: mark as Options['thousands'] })} />
        )}
        {cells && (
          <Select label="Dates like 01/02/2025" description={found('dates')} placeholder="As the columns tell" data={dateChoices} value={said.dates ?? (now.dates || null)} clearable onChange={(dates) => set({ dates: dates as Options['dates'] })} />
        )}
      </div>
      <TagsInput
        label="Read as missing"
        description={`${said.null_values ? 'As you chose' : 'The usual spellings'}. Type a value and press Enter.`}
        value={shownNulls(said.null_values ?? nulls)}
        maxTags={50}
        splitChars={[]}
        clearable
        onChange={(values) => set({ null_values: sentNulls(values) })}
      />
      <Group gap="lg">
        {cells && <Switch label="The first row names the columns" checked={said.header ?? now.header ?? true} onChange={(e) => set({ header: e.currentTarget.checked })} />}
        {(reading.members?.length ?? 0) > 1 && <Switch label="Add a column with the file’s name" checked={said.file_column ?? false} onChange={(e) => set({ file_column: e.currentTarget.checked })} />}
      </Group>
      <ReadingPreview preview={preview.data} loading={preview.isFetching} error={preview.error} />
      <ErrorNotice error={apply.error} />
      <Group justify="space-between" gap="xs">
        <Button variant="subtle" size="sm" disabled={busy} onClick={() => setSaid({ file_column: false })}>
          Find everything out again
        </Button>
        <Group gap="xs">
          <Button variant="default" disabled={same || busy} onClick={() => setSaid(reading.options)}>
            Undo changes
          </Button>
          <Button disabled={same || busy || (preview.data?.problems.length ?? 0) > 0} loading={apply.isPending} onClick={() => apply.mutate()}>
            Read the file again
          </Button>
        </Group>
      </Group>
    </Stack>
  )
}
