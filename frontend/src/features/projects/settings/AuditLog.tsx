import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks'
import { IconHistory } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { ago, dateTime, shortDigest } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'

type Entry = Schemas['AuditOut']

/** Every write of the project, newest first: who, what, on what, from where. It can only grow. */
export function AuditLog({ project }: { project: string }) {
  const [action, setAction] = useState('')
  const [wanted] = useDebouncedValue(action.trim(), 300)
  const [open, setOpen] = useState<Entry | null>(null)
  const phone = useMediaQuery('(max-width: 40em)', undefined, { getInitialValueInEffect: false })
  const log = useInfiniteQuery({
    queryKey: [...keys.audit(project), wanted],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/projects/{project}/audit', { params: { path: { project }, query: { action: wanted || undefined, cursor: pageParam, limit: 100 } } })),
    getNextPageParam: (page) => page.next ?? undefined,
  })
  const rows = log.data?.pages.flatMap((p) => p.items) ?? []
  return (
    <Stack gap="md">
      <TextInput maw={320} label="Action" placeholder="dataset.freeze" value={action} onChange={(e) => setAction(e.currentTarget.value)} />
      <ErrorNotice error={log.error} onRetry={() => void log.refetch()} />
      <DataTable<Entry>
        label="Audit log"
        rows={rows}
        rowKey={(r) => String(r.id)}
        loading={log.isPending}
        rowHeight={phone ? 60 : 40}
        headHeight={40}
        maxHeight="calc(100dvh - 330px)"
        onOpen={setOpen}
        onWindow={(_, last) => {
          if (last >= rows.length - 20 && log.hasNextPage && !log.isFetching) void log.fetchNextPage()
        }}
        empty={<EmptyState compact icon={IconHistory} title={wanted ? 'No such action' : 'Nothing written yet'} />}
        columns={
          phone
            ? [
                {
                  key: 'action',
                  title: 'What',
                  width: 200,
                  grow: 1,
                  render: (r) => (
                    <Stack gap={2}>
                      <Text size="sm" ff="monospace" fz={12.5} truncate>{r.action}</Text>
                      <Text size="xs" c="dimmed" truncate>{r.actor} · {r.target_label || r.target_id}</Text>
                    </Stack>
                  ),
                },
                { key: 'at', title: 'When', width: 104, align: 'right', render: (r) => <Text size="xs">{ago(r.at)}</Text> },
              ]
            : [
                { key: 'at', title: 'When', width: 160, render: (r) => dateTime(r.at) },
                { key: 'actor', title: 'Who', width: 150, grow: 1, render: (r) => <Text size="sm" truncate>{r.actor}</Text> },
                { key: 'action', title: 'What', width: 160, grow: 1, render: (r) => <Text size="sm" ff="monospace" fz={12.5} truncate>{r.action}</Text> },
                { key: 'target', title: 'On', width: 160, grow: 2, render: (r) => <Text size="sm" truncate>{r.target_label || r.target_id}</Text> },
                { key: 'ip', title: 'From', width: 130, hideBelow: 700, render: (r) => r.ip ?? '–' },
                { key: 'digest', title: 'Before → after', width: 210, hideBelow: 900, render: (r) => <Text size="xs" ff="monospace" c="dimmed">{shortDigest(r.before_digest)} → {shortDigest(r.after_digest)}</Text> },
              ]
        }
      />
      {log.hasNextPage && (
        <Group justify="center">
          <Button variant="default" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Older
          </Button>
        </Group>
      )}
      <Modal opened={open !== null} onClose={() => setOpen(null)} size="lg" title={<Text fw={620}>{open?.action}</Text>}>
        {open && (
          <Stack gap="xs">
            <Text size="sm">
              {open.actor} on {open.target_type} “{open.target_label || open.target_id}”, {dateTime(open.at)}
              {open.ip ? `, from ${open.ip}` : ''}.
            </Text>
            <CodeSnippet code={JSON.stringify({ before_digest: open.before_digest, after_digest: open.after_digest, ...open.details }, null, 2)} label="Copy the entry" />
          </Stack>
        )}
      </Modal>
    </Stack>
  )
}
