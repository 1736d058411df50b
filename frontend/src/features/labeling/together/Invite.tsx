/** The address at which others of the project join this item. */
import { ActionIcon, Button, CopyButton, Group, Popover, Stack, Text, TextInput, Tooltip } from '@mantine/core'
import { IconUserPlus } from '@tabler/icons-react'

export function Invite({ project, schema, item }: { project: string; schema: string; item: number }) {
  const link = `${location.origin}/p/${project}/labels/${schema}/label?item=${item}`
  return (
    <Popover position="bottom-end" width={320} trapFocus withArrow>
      <Popover.Target>
        <Tooltip label="Invite somebody to this item">
          <ActionIcon variant="subtle" size={28} aria-label="Invite somebody to this item">
            <IconUserPlus size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Text size="sm">Whoever may label in this project joins you here with this link.</Text>
          <Group gap="xs" wrap="nowrap">
            <TextInput readOnly aria-label="Link to this item" value={link} flex={1} onFocus={(event) => event.currentTarget.select()} />
            <CopyButton value={link}>
              {({ copied, copy }) => (
                <Button onClick={copy} variant="default">
                  {copied ? 'Copied' : 'Copy'}
                </Button>
              )}
            </CopyButton>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
