import { ActionIcon, Anchor, Button, Collapse, Group, Modal, Paper, Progress, Stack, Text, Tooltip, UnstyledButton } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconChevronDown, IconChevronUp, IconFileUpload, IconX } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useLive } from '@/api/events'
import { keys } from '@/api/keys'
import { bytes, duration, percent, plural } from '@/lib/format'
import { ErrorNotice, ProblemList } from '@/ui/ErrorNotice'
import { uploads, useUploads, type UploadItem } from './manager'
import classes from './UploadTray.module.css'

const over = (u: UploadItem) => ['ready', 'failed', 'cancelled'].includes(u.state)

/** The uploads of this tab, in a corner of every page of the project. */
export function UploadTray({ project }: { project: string }) {
  const items = useUploads(project).filter((u) => u.state !== 'cancelled')
  const client = useQueryClient()
  // On the canvas it begins folded and stands where neither the tools nor the overview are.
  const canvas = useParams({ strict: false }).pipeline !== undefined
  const [unfolded, setUnfolded] = useState({ page: true, canvas: false })
  const open = unfolded[canvas ? 'canvas' : 'page']
  useLive('project', (event) => {
    if (event.type === 'upload_changed') uploads.poke(String(event.upload))
  })
  const finished = items.filter((u) => u.state === 'ready').length
  const before = useRef(finished)
  useEffect(() => {
    if (finished > before.current) void client.invalidateQueries({ queryKey: keys.datasets(project) })
    before.current = finished
  }, [finished, client, project])
  if (items.length === 0) return null
  const going = items.filter((u) => !over(u)).length
  const title = going ? `${plural(going, 'upload')} under way` : 'Uploads'
  return (
    <Paper className={classes.tray} data-canvas-tray={canvas || undefined} data-open={open || undefined} component="section" aria-label="Uploads" shadow="lg" radius="lg">
      <Group justify="space-between" wrap="nowrap" className={classes.head}>
        <UnstyledButton className={classes.toggle} onClick={() => setUnfolded({ ...unfolded, [canvas ? 'canvas' : 'page']: !open })} aria-expanded={open}>
          <IconFileUpload size={18} aria-hidden />
          <Text size="sm" fw={600}>
            {title}
          </Text>
          {open ? <IconChevronDown size={16} aria-hidden /> : <IconChevronUp size={16} aria-hidden />}
        </UnstyledButton>
        {going === 0 && (
          <Button size="compact-xs" variant="subtle" onClick={() => items.forEach((u) => uploads.dismiss(u.key))}>
            Clear
          </Button>
        )}
      </Group>
      <div className="visually-hidden" role="status">
        {items.map((u) => (over(u) ? `${u.name}: ${u.state}. ` : ''))}
      </div>
      <Collapse expanded={open}>
        <Stack gap={0} className={classes.list}>
          {items.map((u) => (
            <Item key={u.key} item={u} />
          ))}
        </Stack>
      </Collapse>
    </Paper>
  )
}

function Item({ item }: { item: UploadItem }) {
  const navigate = useNavigate()
  const [detail, setDetail] = useState(false)
  const sent = item.size ? item.sent / item.size : 0
  const line: Record<string, string> = {
    waiting: 'Waits for the others',
    sending: `${bytes(item.sent)} of ${bytes(item.size)}${item.speed ? ` · ${bytes(item.speed)}/s` : ''}${item.secondsLeft !== null ? ` · ${duration(Math.max(1, item.secondsLeft))} left` : ''}`,
    stalled: `The studio does not answer. Goes on by itself from ${bytes(item.sent)}.`,
    processing: `${item.message || 'The studio reads it'}${item.progress > 0 ? ` · ${percent(item.progress, 0)}` : ''}`,
    ready: item.version ? `Version ${item.version} is here` : 'It is here',
    failed: 'Nothing was imported',
  }
  const open = () => item.dataset && void navigate({ to: '/p/$project/datasets/$dataset', params: { project: item.project, dataset: item.dataset }, search: item.version ? { version: item.version } : {} })
  return (
    <div className={classes.item}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Group gap={6} wrap="nowrap" miw={0}>
          {item.state === 'ready' && <IconCheck size={16} color="var(--mantine-color-green-text)" aria-hidden className={classes.mark} />}
          {item.state === 'failed' && <IconAlertTriangle size={16} color="var(--mantine-color-error)" aria-hidden className={classes.mark} />}
          <Text size="sm" fw={560} truncate>
            {item.name}
            {item.folder && (
              <Text span size="xs" c="dimmed">
                {' '}
                {plural(item.files, 'file')}
              </Text>
            )}
          </Text>
        </Group>
        <Tooltip label={over(item) ? 'Take off the list' : 'Cancel this upload'}>
          <ActionIcon size="md" aria-label={over(item) ? `Take ${item.name} off the list` : `Cancel the upload of ${item.name}`} onClick={() => (over(item) ? uploads.dismiss(item.key) : void uploads.cancel(item.key))}>
            <IconX size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
      {!over(item) && (
        <Progress
          size="sm"
          my={4}
          value={(item.state === 'processing' ? Math.max(0.04, item.progress) : sent) * 100}
          color={item.state === 'stalled' ? 'yellow' : item.state === 'processing' ? 'teal' : 'water'}
          animated={item.state === 'processing'}
          aria-label={`${item.name}: ${item.state === 'processing' ? 'read' : 'sent'}`}
        />
      )}
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="xs" c={item.state === 'failed' ? 'var(--mantine-color-error)' : 'dimmed'} className="tabular" lineClamp={2}>
          {line[item.state]}
        </Text>
        {item.state === 'ready' && item.dataset && (
          <Anchor
            size="xs"
            className={classes.mark}
            renderRoot={(props) => <Link to="/p/$project/datasets/$dataset" params={{ project: item.project, dataset: item.dataset ?? '' }} search={item.version ? { version: item.version } : {}} {...props} />}
          >
            Look at it
          </Anchor>
        )}
        {item.state === 'failed' && (
          <Button size="compact-xs" variant="light" color="red" onClick={() => setDetail(true)}>
            What was wrong
          </Button>
        )}
      </Group>
      <Modal opened={detail} onClose={() => setDetail(false)} size="lg" title={<Text fw={620}>{item.filename} could not be imported</Text>}>
        <Stack gap="sm">
          {item.error ? <ErrorNotice error={item.error} /> : item.problems.length === 0 && <Text size="sm">{item.message || 'The file could not be read.'}</Text>}
          {item.problems.length > 0 && <ProblemList problems={item.problems} limit={200} />}
          <Text size="sm" c="dimmed">
            Nothing of it was kept. Correct the file and upload it again.
          </Text>
          <Group justify="flex-end">
            {item.dataset && (
              <Button variant="default" onClick={open}>
                Open the data set
              </Button>
            )}
            <Button onClick={() => setDetail(false)}>Close</Button>
          </Group>
        </Stack>
      </Modal>
    </div>
  )
}
