import { Alert, Button, Group, Modal, PasswordInput, Select, Stack, Table, Text, TextInput } from '@mantine/core'
import { isNotEmpty, matchesField, useForm } from '@mantine/form'
import { IconKey, IconPlus } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { useMe } from '@/api/me'
import { ago, date } from '@/lib/format'
import { CodeSnippet } from '@/ui/CodeSnippet'
import { ConfirmButton, notifyDone } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { StackedTable } from '@/ui/StackedTable'
import { useSubmit } from '@/ui/useSubmit'
import { longEnough, PASSWORD_LENGTH } from '../auth/AccountForm'
import { Section } from './Section'

/** The signed-in person's own: name, password, API tokens. */
export function PersonalSettingsPage() {
  const me = useMe()
  return (
    <>
      <PageHeader title="Your settings" description={me?.email} crumbs={[{ label: 'Projects', to: '/' }]} />
      <Stack gap="lg" maw={860}>
        {me && <Profile key={me.name} me={me} />}
        <Password />
        <Tokens />
      </Stack>
    </>
  )
}

function Profile({ me }: { me: Schemas['MeOut'] }) {
  const client = useQueryClient()
  const form = useForm({ initialValues: { name: me.name }, validate: { name: isNotEmpty('Your name, as others see it') } })
  const { submit, busy, error } = useSubmit(form, async (values: { name: string }) => {
    client.setQueryData(keys.me, await unwrap(api.PATCH('/api/v1/me', { body: values })))
    notifyDone('Your name is changed.')
  })
  return (
    <Section title="Profile">
      <form onSubmit={form.onSubmit(submit)}>
        <Stack gap="md" maw={420}>
          <ErrorNotice error={error} />
          <TextInput label="Name" autoComplete="name" maxLength={120} {...form.getInputProps('name')} />
          <Group>
            <Button type="submit" loading={busy} disabled={!form.isDirty()}>
              Save
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  )
}

function Password() {
  const me = useMe()
  const form = useForm({
    initialValues: { current: '', password: '', again: '' },
    validate: { password: longEnough, again: matchesField('password', 'This is not the same as above') },
  })
  const { submit, busy, error } = useSubmit(form, async ({ current, password }: { current: string; password: string; again: string }) => {
    await unwrap(api.POST('/api/v1/me/password', { body: { current, password } }))
    form.reset()
    notifyDone('Your password is changed. Your other sessions have ended.')
  })
  return (
    <Section title="Password" description="Changing it ends your sessions on other devices. Tokens stay.">
      <form onSubmit={form.onSubmit(submit)}>
        <Stack gap="md" maw={420}>
          <ErrorNotice error={error} />
          {/* Password managers need the account's name in the same form. */}
          <input type="text" name="username" autoComplete="username" value={me?.email ?? ''} readOnly hidden />
          <PasswordInput label="Current password" description="Leave empty if you have only signed in with a link so far." autoComplete="current-password" {...form.getInputProps('current')} />
          <PasswordInput label="New password" description={`At least ${PASSWORD_LENGTH} characters. A sentence is good.`} autoComplete="new-password" {...form.getInputProps('password')} />
          <PasswordInput label="New password again" autoComplete="new-password" {...form.getInputProps('again')} />
          <Group>
            <Button type="submit" loading={busy} disabled={!form.isDirty()}>
              Change the password
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  )
}

function Tokens() {
  const client = useQueryClient()
  const me = useMe()
  const tokens = useQuery({ queryKey: keys.tokens, queryFn: () => unwrap(api.GET('/api/v1/tokens')) })
  const [making, setMaking] = useState(false)
  const projectName = (slug: string | null) => (slug ? (me?.memberships.find((m) => m.project === slug)?.project_name ?? slug) : 'All your projects')
  const make = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
      New token
    </Button>
  )
  return (
    <Section title="API tokens" description="For scripts and the command line. A token may do what you may, in one project or in all.">
      <ErrorNotice error={tokens.error} onRetry={() => void tokens.refetch()} />
      {tokens.data?.length === 0 && <EmptyState compact icon={IconKey} title="No tokens" actions={make}>Make one to use the HTTP API, the command line, or to call your endpoints.</EmptyState>}
      {tokens.data && tokens.data.length > 0 && (
        <Stack gap="md">
          <StackedTable minWidth={620} aria-label="API tokens">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Begins with</Table.Th>
                  <Table.Th>For</Table.Th>
                  <Table.Th>Last used</Table.Th>
                  <Table.Th>Expires</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {tokens.data.map((t) => (
                  <Table.Tr key={t.id}>
                    <Table.Td fw={560}>{t.name}</Table.Td>
                    <Table.Td data-label="Begins with" ff="monospace">{t.prefix}…</Table.Td>
                    <Table.Td data-label="For">{projectName(t.project)}</Table.Td>
                    <Table.Td data-label="Last used">{t.last_used_at ? ago(t.last_used_at) : 'never'}</Table.Td>
                    <Table.Td data-label="Expires">{t.expires_at ? date(t.expires_at) : 'never'}</Table.Td>
                    <Table.Td ta="right">
                      <ConfirmButton
                        size="compact-sm"
                        title={`Revoke “${t.name}”?`}
                        message="Whatever uses it stops working at once. A revoked token cannot be brought back."
                        confirmLabel="Revoke"
                        onConfirm={async () => {
                          await unwrap(api.DELETE('/api/v1/tokens/{token_id}', { params: { path: { token_id: t.id } } }))
                          await client.invalidateQueries({ queryKey: keys.tokens })
                        }}
                      >
                        Revoke
                      </ConfirmButton>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
          </StackedTable>
          <Group>{make}</Group>
        </Stack>
      )}
      <NewToken opened={making} onClose={() => setMaking(false)} />
    </Section>
  )
}

function NewToken({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const client = useQueryClient()
  const me = useMe()
  const [secret, setSecret] = useState<string | null>(null)
  const form = useForm({ initialValues: { name: '', project: '', days: '90' }, validate: { name: isNotEmpty('What is it for? For example: nightly training') } })
  const { submit, busy, error } = useSubmit(form, async ({ name, project, days }: { name: string; project: string; days: string }) => {
    const made = await unwrap(api.POST('/api/v1/tokens', { body: { name, project: project || null, expires_in_days: days ? Number(days) : null } }))
    setSecret(made.token ?? null)
    await client.invalidateQueries({ queryKey: keys.tokens })
  })
  const close = () => {
    setSecret(null)
    form.reset()
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} closeOnClickOutside={!secret} title={<Text fw={620}>{secret ? 'Your new token' : 'New token'}</Text>}>
      {secret ? (
        <Stack gap="md">
          <Alert color="yellow" title="Copy it now">
            It is shown this once. The studio keeps only its fingerprint.
          </Alert>
          <CodeSnippet code={secret} label="Copy the token" wrap />
          <Group justify="flex-end">
            <Button onClick={close}>I have it</Button>
          </Group>
        </Stack>
      ) : (
        <form onSubmit={form.onSubmit(submit)} noValidate>
          <Stack gap="md">
            <ErrorNotice error={error} />
            <TextInput label="Name" description="What it is for, to recognise it later." data-autofocus maxLength={120} {...form.getInputProps('name')} />
            <Select
              label="For"
              allowDeselect={false}
              data={[{ value: '', label: 'All your projects' }, ...(me?.memberships ?? []).map((m) => ({ value: m.project, label: m.project_name }))]}
              {...form.getInputProps('project')}
            />
            <Select
              label="Expires"
              allowDeselect={false}
              data={[
                { value: '7', label: 'In 7 days' },
                { value: '30', label: 'In 30 days' },
                { value: '90', label: 'In 90 days' },
                { value: '365', label: 'In a year' },
                { value: '', label: 'Never' },
              ]}
              {...form.getInputProps('days')}
            />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={busy}>
                Make the token
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
