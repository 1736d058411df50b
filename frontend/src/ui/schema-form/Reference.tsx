/** A field that holds no value but refers to one: a parameter of the pipeline, or a secret of the project. */
import { ActionIcon, Anchor, Box, CloseButton, Group, Menu, Select, Text } from '@mantine/core'
import { IconExternalLink, IconKey, IconLink, IconVariable } from '@tabler/icons-react'
import type { ReferenceChoices, SecretChoices } from './context'
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
  const gone = secret && choices?.secrets?.names && !choices.secrets.names.includes(found.name)
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
      {gone && !errors?.length && (
        <Text size="xs" c="red" mt={4}>
          The project has no secret of this name.
        </Text>
      )}
      {errors?.map((message) => (
        <Text key={message} size="xs" c="red" mt={4}>
          {message}
        </Text>
      ))}
    </Box>
  )
}

type Choose = (reference: Record<string, string>) => void

export function ReferenceMenu({ label, choices, type, secret, onChoose }: { label: string; choices: ReferenceChoices; type: string; secret: boolean; onChoose: Choose }) {
  // A whole number goes where a number does.
  const fits = choices.parameters.filter((one) => one.type === type || (type === 'number' && one.type === 'integer'))
  const secrets = secret ? choices.secrets : undefined
  if (fits.length === 0 && !secrets) return null
  return (
    <Menu position="bottom-end" width={260} withinPortal>
      <Menu.Target>
        <ActionIcon className={classes.toggle} size={24} variant="subtle" color="gray" title={`A parameter of the pipeline or a secret for “${label}”`} aria-label="Use a parameter or a secret instead">
          <IconLink size={14} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown className={classes.menu}>
        {fits.length > 0 && <Menu.Label>Use a parameter of the pipeline</Menu.Label>}
        {fits.map((one) => (
          <Menu.Item key={one.name} leftSection={<IconVariable size={15} aria-hidden />} onClick={() => onChoose({ $parameter: one.name })}>
            {one.title}
          </Menu.Item>
        ))}
        {secrets && <Menu.Label>{secrets.names?.length === 0 ? none(secrets) : 'Use a secret of the project'}</Menu.Label>}
        {secrets?.names?.map((name) => (
          <Menu.Item key={name} ff="monospace" leftSection={<IconKey size={15} aria-hidden />} onClick={() => onChoose({ $secret: name })}>
            {name}
          </Menu.Item>
        ))}
        {secrets?.settings && (
          <Menu.Item component="a" href={secrets.settings} target="_blank" rel="noreferrer" leftSection={<IconExternalLink size={15} aria-hidden />}>
            Set a secret in the settings
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

const none = (secrets: SecretChoices) => `The project has no secrets yet${secrets.settings ? '' : ': its owners set them'}`

/** A field that is meant for a secret (`format: password`): the value itself never stands in a graph. */
export function SecretField({ label, help, required, value, secrets, errors, disabled, onChoose }: { label: string; help?: string; required?: boolean; value: unknown; secrets: SecretChoices; errors?: string[]; disabled?: boolean; onChoose: (reference: Record<string, string> | undefined) => void }) {
  const name = parts(value)?.name ?? null
  const names = secrets.names ?? []
  return (
    <Box>
      <Select
        label={label}
        description={help}
        required={required}
        disabled={disabled}
        searchable
        clearable
        leftSection={<IconKey size={15} aria-hidden />}
        placeholder={secrets.names?.length === 0 ? none(secrets) : 'A secret of the project'}
        nothingFoundMessage="No secret of this name"
        data={name === null || names.includes(name) ? names : [name, ...names]}
        value={name}
        error={errors?.join(' ') || (name !== null && secrets.names && !names.includes(name) ? 'The project has no secret of this name.' : undefined)}
        onChange={(chosen) => onChoose(chosen === null ? undefined : { $secret: chosen })}
      />
      {secrets.settings && (
        <Anchor size="xs" href={secrets.settings} target="_blank" rel="noreferrer">
          Set a secret in the settings
        </Anchor>
      )}
    </Box>
  )
}
