import { Avatar, Button, Group, Modal, Select, Stack, Table, Text, TextInput } from '@mantine/core'
import { isEmail, useForm } from '@mantine/form'
import { IconUserPlus } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan, useMe } from '@/api/me'
import { ago, date } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { ConfirmButton, notifyDone, notifyError } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { useSubmit } from '@/ui/useSubmit'
import { ROLES, type Role } from './roles'
import { Section } from './Section'

/** Who is in the project, as what, and who is invited. */
export function Members({ project }: { project: string }) {
  const client = useQueryClient()
  const me = useMe()
  const can = useCan()
  const manage = can('member.manage')
  const [inviting, setInviting] = useState(false)
  const path = { project }
  const members = useQuery({ queryKey: keys.members(project), queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/members', { params: { path } })) })
  const invitations = useQuery({ queryKey: keys.invitations(project), enabled: manage, queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/invitations', { params: { path } })) })
  const refresh = () => Promise.all([client.invalidateQueries({ queryKey: keys.members(project) }), client.invalidateQueries({ queryKey: keys.me })])
  const change = useMutation({
    mutationFn: ({ user_id, role }: { user_id: string; role: Role }) => unwrap(api.PATCH('/api/v1/projects/{project}/members/{user_id}', { params: { path: { project, user_id } }, body: { role } })),
    onSuccess: (member) => {
      notifyDone(`${member.user.name} is now ${member.role}.`)
      return refresh()
    },
    onError: notifyError,
  })
  return (
    <Stack gap="lg" maw={1000}>
      <Section
        title="Members"
        description="Roles are not a ladder: each may do its own part of the work."
        actions={
          manage && (
            <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setInviting(true)}>
              Invite
            </Button>
          )
        }
      >
        <ErrorNotice error={members.error} onRetry={() => void members.refetch()} />
        <StackedTable minWidth={560} aria-label="Members">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Person</Table.Th>
                <Table.Th w={190}>Role</Table.Th>
                <Table.Th>Since</Table.Th>
                <Table.Th>
                  <span className="visually-hidden">Actions</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {members.data?.map((m) => (
                <Table.Tr key={m.user.id}>
                  <Table.Td>
                    <Group gap="sm" wrap="nowrap">
                      <Avatar size={30} radius="xl" name={m.user.name} color="initials" aria-hidden />
                      <div>
                        <Text size="sm" fw={560}>
                          {m.user.name}
                          {m.user.id === me?.id && ' (you)'}
                        </Text>
                        <Text size="xs" c="dimmed">
                          {m.user.email}
                        </Text>
                      </div>
                    </Group>
                  </Table.Td>
                  <Table.Td data-label="Role">
                    {manage ? (
                      <RoleSelect label={`Role of ${m.user.name}`} value={m.role} onChange={(role) => change.mutate({ user_id: m.user.id, role })} />
                    ) : (
                      <Text size="sm">{ROLES.find((r) => r.value === m.role)?.label}</Text>
                    )}
                  </Table.Td>
                  <Table.Td data-label="Since">{date(m.created_at)}</Table.Td>
                  <Table.Td ta="right">
                    {manage && (
                      <ConfirmButton
                        size="compact-sm"
                        title={`Remove ${m.user.name}?`}
                        message="They lose access at once. What they made stays. You can invite them again."
                        confirmLabel="Remove"
                        onConfirm={async () => {
                          await unwrap(api.DELETE('/api/v1/projects/{project}/members/{user_id}', { params: { path: { project, user_id: m.user.id } } }))
                          await refresh()
                        }}
                      >
                        Remove
                      </ConfirmButton>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
        </StackedTable>
      </Section>
      {manage && invitations.data && invitations.data.length > 0 && (
        <Section title="Open invitations">
          <Table>
            <Table.Tbody>
              {invitations.data.map((i) => (
                <Table.Tr key={i.id}>
                  <Table.Td>
                    <Text size="sm">{i.email}</Text>
                    <Text size="xs" c="dimmed">
                      {i.role} · sent {ago(i.created_at)} · good until {date(i.expires_at)}
                    </Text>
                  </Table.Td>
                  <Table.Td ta="right">
                    <ConfirmButton
                      size="compact-sm"
                      title={`Take back the invitation of ${i.email}?`}
                      message="Its link stops working at once."
                      confirmLabel="Take it back"
                      onConfirm={async () => {
                        await unwrap(api.DELETE('/api/v1/projects/{project}/invitations/{invitation_id}', { params: { path: { project, invitation_id: i.id } } }))
                        await client.invalidateQueries({ queryKey: keys.invitations(project) })
                      }}
                    >
                      Take back
                    </ConfirmButton>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Section>
      )}
      <Invite project={project} opened={inviting} onClose={() => setInviting(false)} />
    </Stack>
  )
}

function RoleSelect({ value, onChange, label, visibleLabel }: { value: Role; onChange: (role: Role) => void; label: string; visibleLabel?: string }) {
  return (
    <Select
      label={visibleLabel}
      aria-label={visibleLabel ? undefined : label}
      data={ROLES.map(({ value: v, label: l }) => ({ value: v, label: l }))}
      value={value}
      allowDeselect={false}
      comboboxProps={{ width: 320, position: 'bottom-start' }}
      onChange={(role) => role && role !== value && onChange(role as Role)}
      renderOption={({ option }) => (
        <div>
          <Text size="sm">{option.label}</Text>
          <Text size="xs" c="dimmed">
            {ROLES.find((r) => r.value === option.value)?.help}
          </Text>
        </div>
      )}
    />
  )
}

function Invite({ project, opened, onClose }: { project: string; opened: boolean; onClose: () => void }) {
  const client = useQueryClient()
  const [made, setMade] = useState<Schemas['InvitationOut'] | null>(null)
  const form = useForm<{ email: string; role: Role }>({ initialValues: { email: '', role: 'editor' }, validate: { email: isEmail('An e-mail address, like name@example.org') } })
  const { submit, busy, error } = useSubmit(form, async (values: { email: string; role: Role }) => {
    setMade(await unwrap(api.POST('/api/v1/projects/{project}/invitations', { params: { path: { project } }, body: values })))
    await client.invalidateQueries({ queryKey: keys.invitations(project) })
  })
  const close = () => {
    setMade(null)
    form.reset()
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title={<Text fw={620}>{made ? 'Invitation made' : 'Invite someone'}</Text>}>
      {made ? (
        <Stack gap="md">
          <Text size="sm">
            We have sent {made.email} this link. If the studio sends no mail, pass it on yourself. It is shown this once and is good until {date(made.expires_at)}.
          </Text>
          {made.link && <CodeSnippet code={made.link} label="Copy the link" wrap />}
          <Group justify="flex-end">
            <Button onClick={close}>Done</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={form.onSubmit(submit)} noValidate>
          <Stack gap="md">
            <ErrorNotice error={error} />
            <TextInput label="E-mail" type="email" data-autofocus {...form.getInputProps('email')} />
            <RoleSelect visibleLabel="Role" label="Role" value={form.values.role} onChange={(role) => form.setFieldValue('role', role)} />
            <Text size="sm" c="dimmed">
              {ROLES.find((r) => r.value === form.values.role)?.help}
            </Text>
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={busy}>
                Invite
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
