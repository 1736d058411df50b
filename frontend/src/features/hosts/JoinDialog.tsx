/** How another machine joins: make a token, then copy one command. The token is shown this once. */
import { Alert, Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { IconKey } from '@tabler/icons-react'
import { useState } from 'react'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useSubmit } from '@/ui/useSubmit'
import { joinCommand, useMakeToken } from './data'

const HOURS = [
  { value: '1', label: 'an hour' },
  { value: '24', label: 'a day' },
  { value: '168', label: 'a week' },
  { value: '2160', label: '90 days' },
]

export function JoinDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const make = useMakeToken()
  const [secret, setSecret] = useState('')
  const form = useForm({
    mode: 'uncontrolled',
    initialValues: { name: 'New host', hours: '24', labels: '' },
    validate: {
      name: (value) => (value.trim() ? null : 'Give it a name, so that you know it again.'),
      labels: (value) => (value.split(/[\s,]+/).filter(Boolean).every((one) => /^[a-z0-9][a-z0-9._/-]*=[A-Za-z0-9][A-Za-z0-9._-]*$/.test(one)) ? null : 'Write labels as name=value, such as site=factory-3.'),
    },
  })
  const { submit, busy, error, clear } = useSubmit<{ name: string; hours: string; labels: string }>(form, async (values) => {
    const made = await make.mutateAsync({ name: values.name.trim(), hours: Number(values.hours) })
    setSecret(made.secret ?? '')
  })
  const close = () => {
    setSecret('')
    form.reset()
    clear()
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title={<Text fw={620}>Add a host</Text>} size="lg" closeOnClickOutside={!secret}>
      {secret ? (
        <Stack gap="md">
          <Text size="sm">On the other machine, with Headrace installed, run this. It joins, and works for this studio until it is stopped.</Text>
          <CodeSnippet code={joinCommand(window.location.origin, secret, form.getValues().labels)} label="Copy the command" wrap />
          <Alert variant="light" color="yellow" icon={<IconKey size={18} aria-hidden />}>
            The token in it is shown only now. Whoever has it can let machines run this studio’s steps; revoke it on this page when you are done.
          </Alert>
          <Text size="sm" c="dimmed">
            The machine needs to reach {window.location.origin} and nothing else. Later, <code>headrace worker start</code> works again without a token.
          </Text>
          {['localhost', '127.0.0.1', '[::1]'].includes(window.location.hostname) && (
            <Text size="sm">
              {window.location.hostname} is this machine alone. For others start the studio with <code>--host 0.0.0.0</code> or behind a proxy, open it at the address they see, and make the command there.
            </Text>
          )}
          <Group justify="flex-end">
            <Button onClick={close} data-autofocus>
              Done
            </Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={form.onSubmit(submit)}>
          <Stack gap="md">
            <TextInput label="Name of the token" description="For you, to know it again. Several machines may join with one token." maxLength={120} data-autofocus key={form.key('name')} {...form.getInputProps('name')} />
            <TextInput label="Labels" description="What is special about the machine. Steps can ask for it." placeholder="site=factory-3" key={form.key('labels')} {...form.getInputProps('labels')} />
            <Select label="Good for" data={HOURS} allowDeselect={false} key={form.key('hours')} {...form.getInputProps('hours')} />
            <ErrorNotice error={error} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={busy}>
                Make the command
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
