/** A field that holds no value but refers to one: a parameter of the pipeline, or a secret of the project. */
import { ActionIcon, Box, Button, CloseButton, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core'
import { IconKey, IconLink, IconVariable } from '@tabler/icons-react'
import { useState } from 'react'
import type { ReferenceChoices } from './context'
import classes from './Reference.module.css'

type Kind = '$parameter' | '$secret'

function parts(value: unknown): { kind: Kind; name: string } | null {
  if (typeof value !== 'object' || value === null) return null
  const entries = Object.entries(value)
  const [kind, name] = entries[0] ?? []
  return entries.length === 1 && (kind === '$parameter' || kind === '$secret') && typeof name === 'string' ? { kind, name } : null
}

export function isReference(value: unknown): boolean {
  return parts(value) !== null
}

export function ReferenceChip({ label, reference, choices, errors, onClear }: { label: string; reference: unknown; choices?: ReferenceChoices; errors?: string[]; onClear?: () => void }) {
  const found = parts(reference)
  if (!found) return null
  const known = choices?.parameters.find((one) => one.name === found.name)
  const secret = found.kind === '$secret'
  const ReferenceIcon = secret ? IconKey : IconVariable
  const words = secret ? `Secret ${found.name}` : `Parameter of the pipeline: ${known?.title ?? found.name}`
  return (
    <Box role="group" aria-label={label}>
      <Text size="sm" fw={500} mb={4}>
        {label}
      </Text>
      <Group gap={6} className={classes.chip} data-reference={found.kind} wrap="nowrap">
        <ReferenceIcon size={15} aria-hidden />
        <Text size="sm" flex={1} style={{ overflowWrap: 'anywhere' }}>
          {words}
        </Text>
        {onClear && <CloseButton size="sm" aria-label={`Give ${label} a value of its own`} onClick={onClear} />}
      </Group>
      {errors?.map((message) => (
        <Text key={message} size="xs" c="red" mt={4}>
          {message}
        </Text>
      ))}
    </Box>
  )
}

const SECRET = /^[A-Z][A-Z0-9_]{0,59}$/

export function ReferenceMenu({ label, choices, type, onChoose }: { label: string; choices: ReferenceChoices; type: string; onChoose: (reference: Record<string, string>) => void }) {
  const [asking, setAsking] = useState(false)
  const [name, setName] = useState('')
  const text = type === 'string'
  // A whole number goes where a number does.
  const fits = choices.parameters.filter((one) => one.type === type || (type === 'number' && one.type === 'integer'))
  if (fits.length === 0 && !(choices.secrets && text)) return null
  const wrong = name !== '' && !SECRET.test(name)
  return (
    <>
      <Menu position="bottom-end" width={260} withinPortal>
        <Menu.Target>
          <ActionIcon className={classes.toggle} size={24} variant="subtle" color="gray" title={`A parameter of the pipeline or a secret for “${label}”`} aria-label="Use a parameter or a secret instead">
            <IconLink size={14} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {fits.length > 0 && <Menu.Label>Use a parameter of the pipeline</Menu.Label>}
          {fits.map((one) => (
            <Menu.Item key={one.name} leftSection={<IconVariable size={15} aria-hidden />} onClick={() => onChoose({ $parameter: one.name })}>
              {one.title}
            </Menu.Item>
          ))}
          {choices.secrets && text && (
            <Menu.Item leftSection={<IconKey size={15} aria-hidden />} onClick={() => setAsking(true)}>
              Use a secret…
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal opened={asking} onClose={() => setAsking(false)} title={`A secret for “${label}”`} size="sm">
        <Stack gap="sm">
          <TextInput
            label="Name of the secret"
            description="The project’s secret of this name is put in on the worker, and nowhere else."
            placeholder="SHOP_TOKEN"
            ff="monospace"
            data-autofocus
            value={name}
            error={wrong ? 'A capital letter, then capitals, digits and _; at most 60.' : undefined}
            onChange={(event) => setName(event.currentTarget.value.toUpperCase())}
          />
          <Group justify="flex-end">
            <Button
              disabled={name === '' || wrong}
              onClick={() => {
                setAsking(false)
                onChoose({ $secret: name })
              }}
            >
              Use it
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
