/** Remarks on an item: asked, answered, dealt with. */
import { Badge, Button, Checkbox, Drawer, Group, MultiSelect, Stack, Text, Textarea } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { ago } from '@/lib/format'
import { notifyError } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'

export function Comments({ project, schema, item, opened, onClose }: { project: string; schema: string; item: number; opened: boolean; onClose: () => void }) {
  const client = useQueryClient()
  const key = [...keys.labelSchemas(project), schema, 'item', item, 'comments']
  const path = { project, label_schema: schema, item }
  const query = useQuery({ queryKey: key, enabled: opened, queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/comments', { params: { path } })) })
  const members = useQuery({ queryKey: keys.members(project), enabled: opened, queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/members', { params: { path: { project } } })) })
  const [text, setText] = useState('')
  const [asks, setAsks] = useState(false)
  const [mentions, setMentions] = useState<string[]>([])
  const [error, setError] = useState<unknown>(null)
  const send = async () => {
    setError(null)
    try {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/comments', { params: { path }, body: { text, asks, mentions } }))
      setText('')
      setAsks(false)
      setMentions([])
      await client.invalidateQueries({ queryKey: key })
    } catch (failure) {
      setError(failure)
    }
  }
  const resolve = async (comment: string) => {
    try {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/comments/{comment}/resolve', { params: { path: { project, label_schema: schema, comment } } }))
      await client.invalidateQueries({ queryKey: key })
    } catch (failure) {
      notifyError(failure)
    }
  }
  return (
    <Drawer opened={opened} onClose={onClose} position="right" title="Comments" size="md">
      <Stack gap="md">
        <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
        {query.data?.length === 0 && (
          <Text size="sm" c="dimmed">
            Nobody has said anything about this item.
          </Text>
        )}
        {query.data?.map((comment) => (
          <Stack key={comment.id} gap={4} component="article">
            <Group justify="space-between" wrap="nowrap">
              <Text size="sm" fw={600}>
                {comment.author?.name || comment.author?.email || 'Somebody'}
              </Text>
              <Text size="xs" c="dimmed">
                {ago(comment.created_at)}
              </Text>
            </Group>
            <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
              {comment.text}
            </Text>
            <Group gap={6}>
              {comment.asks && <Badge color="yellow">asks a reviewer</Badge>}
              {comment.mentions.map((user) => (
                <Badge key={user.id} color="gray">
                  @{user.name || user.email}
                </Badge>
              ))}
              {comment.resolved_at ? (
                <Badge color="green">dealt with</Badge>
              ) : (
                <Button size="compact-xs" variant="subtle" onClick={() => void resolve(comment.id)}>
                  Dealt with
                </Button>
              )}
            </Group>
          </Stack>
        ))}
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void send()
          }}
        >
          <Stack gap="xs">
            <Textarea label="Comment" autosize minRows={2} maxRows={8} maxLength={5000} value={text} onChange={(event) => setText(event.currentTarget.value)} />
            <MultiSelect
              label="For"
              placeholder={mentions.length === 0 ? 'Anybody' : undefined}
              searchable
              data={(members.data ?? []).map((member) => ({ value: member.user.id, label: member.user.name || member.user.email }))}
              value={mentions}
              onChange={setMentions}
            />
            <Checkbox label="Ask a reviewer to look" checked={asks} onChange={(event) => setAsks(event.currentTarget.checked)} />
            <ErrorNotice error={error} />
            <Group justify="flex-end">
              <Button type="submit" disabled={!text.trim()}>
                Send
              </Button>
            </Group>
          </Stack>
        </form>
      </Stack>
    </Drawer>
  )
}
