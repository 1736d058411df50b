/** Secrets of the project: their names, and a form to set one. A value goes in and is never shown again. */
import { Button, Group, Modal, PasswordInput, Stack, Table, Text, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { IconKey, IconPlus } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useCan } from '@/api/me'
import { ago } from '@/lib/format'
import { ConfirmButton, notifyDone } from '@/ui/confirm'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { StackedTable } from '@/ui/StackedTable'
import { useSubmit } from '@/ui/useSubmit'
import { Section } from './Section'

const ONE = '/api/v1/projects/{project}/secrets/{name}' as const
const LEAST = 8

export function Secrets({ project }: { project: string }) {
  const client = useQueryClient()
  const can = useCan()
  const writable = can('secret.write')
  const [opened, setOpened] = useState<string | null>(null)
  const queryKey = [...keys.project(project), 'secrets']
  const secrets = useQuery({ queryKey, queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/secrets', { params: { path: { project } } })) })
  const refresh = () => client.invalidateQueries({ queryKey })
  return (
    <Stack gap="lg" maw={860}>
      <Section
        title="Secrets"
        description={
          <>
            Passwords and keys that steps need. Choose one at any text field of a step (in YAML it is <code>{'{"$secret": "NAME"}'}</code>): the value is put in on the worker and blacked out of its logs. Code steps get none.
          </>
        }
        actions={
          writable && (
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpened('')}>
              New secret
            </Button>
          )
        }
      >
        <ErrorNotice error={secrets.error} onRetry={() => void secrets.refetch()} />
        {secrets.data?.length === 0 && (
          <EmptyState compact icon={IconKey} title="No secrets yet">
            {writable ? 'Set one; only its name is shown afterwards.' : 'Owners of the project set them.'}
          </EmptyState>
        )}
        {secrets.data && secrets.data.length > 0 && (
          <StackedTable minWidth={260} aria-label="Secrets">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th>Set</Table.Th>
                <Table.Th>
                  <span className="visually-hidden">Actions</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {secrets.data.map((secret) => (
                <Table.Tr key={secret.name}>
                  <Table.Td>
                    <Text size="sm" ff="monospace">
                      {secret.name}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    <Text size="sm">
                      {ago(secret.updated_at)}
                      {secret.created_by ? `, first by ${secret.created_by.name || secret.created_by.email}` : ''}
                    </Text>
                  </Table.Td>
                  <Table.Td>
                    {writable && (
                      <Group gap="xs" justify="flex-end">
                        <Button size="xs" variant="default" onClick={() => setOpened(secret.name)}>
                          Change
                        </Button>
                        <ConfirmButton
                          size="xs"
                          title={`Delete ${secret.name}`}
                          message="Steps that refer to it fail from now on. It cannot be brought back."
                          confirmLabel="Delete"
                          typed={secret.name}
                          onConfirm={async () => {
                            await unwrap(api.DELETE(ONE, { params: { path: { project, name: secret.name } } }))
                            await refresh()
                          }}
                        >
                          Delete
                        </ConfirmButton>
                      </Group>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </StackedTable>
        )}
      </Section>
      <Modal opened={opened !== null} onClose={() => setOpened(null)} title={<Text fw={620}>{opened ? `Change ${opened}` : 'New secret'}</Text>}>
        {opened !== null && (
          <SecretForm
            project={project}
            known={opened}
            onDone={() => {
              setOpened(null)
              void refresh()
            }}
          />
        )}
      </Modal>
    </Stack>
  )
}

function SecretForm({ project, known, onDone }: { project: string; known: string; onDone: () => void }) {
  const form = useForm({
    initialValues: { name: known, value: '' },
    validate: {
      name: (name) => (/^[A-Z][A-Z0-9_]*$/.test(name) ? null : 'A capital letter, then capital letters, digits and _'),
      value: (value) => (value.length >= LEAST ? null : `At least ${LEAST} characters: what is shorter cannot be blacked out of logs`),
    },
  })
  const { submit, busy, error } = useSubmit(form, async ({ name, value }: { name: string; value: string }) => {
    await unwrap(api.PUT(ONE, { params: { path: { project, name } }, body: { value } }))
    notifyDone(`${name} is set.`)
    onDone()
  })
  return (
    <form onSubmit={form.onSubmit(submit)} autoComplete="off">
      <Stack gap="md">
        <ErrorNotice error={error} />
        {!known && <TextInput label="Name" placeholder="API_KEY" maxLength={60} data-autofocus styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} {...form.getInputProps('name')} />}
        <PasswordInput label="Value" description="It is kept encrypted and never shown again." autoComplete="new-password" data-autofocus={known ? true : undefined} {...form.getInputProps('value')} />
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Set
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
