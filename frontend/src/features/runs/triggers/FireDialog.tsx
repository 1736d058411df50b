/** Make an event by hand: what `$event.data` shall be, tried at once. */
import { Button, Group, JsonInput, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { kindsQuery, type Trigger } from './data'

export function FireDialog({ project, trigger, opened, onClose }: { project: string; trigger: Trigger; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={620}>Fire “{trigger.name}” now</Text>}>
      {opened && <Content project={project} trigger={trigger} onClose={onClose} />}
    </Modal>
  )
}

function Content({ project, trigger, onClose }: { project: string; trigger: Trigger; onClose: () => void }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const kind = useQuery(kindsQuery(project)).data?.find((k) => k.name === trigger.kind)
  const [typed, setTyped] = useState<string | null>(null)
  const text = typed ?? JSON.stringify(kind?.example.data ?? {}, null, 2)
  const fire = useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/projects/{project}/triggers/{trigger}/fire', { params: { path: { project, trigger: trigger.slug } }, body: { data: JSON.parse(text || '{}') as Record<string, never> } })),
    onSuccess: (event) => {
      void client.invalidateQueries({ queryKey: keys.triggers(project) })
      void client.invalidateQueries({ queryKey: keys.runs(project) })
      onClose()
      if (event.run) void navigate({ to: '/p/$project/runs/$run', params: { project, run: event.run }, search: {} })
      else void navigate({ to: '.', search: { event: event.id } })
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        fire.mutate()
      }}
    >
      <Stack gap="md">
        <JsonInput
          label="Content of the event"
          description="What $event.data will be. Filled with an example of this kind."
          value={text}
          onChange={setTyped}
          autosize
          minRows={4}
          maxRows={16}
          formatOnBlur
          validationError="This is not JSON."
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 13 } }}
          data-autofocus
        />
        <Text size="xs" c="dimmed">
          The run starts at once, whatever the limits, in the name of {trigger.owner?.name || trigger.owner?.email || 'the owner'}.
        </Text>
        <ErrorNotice error={fire.error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={fire.isPending}>
            Fire
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
