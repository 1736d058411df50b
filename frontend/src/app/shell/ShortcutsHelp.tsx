import { Group, Kbd, Modal, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useAllCommands } from '@/ui/commands'
import { spoken } from './shortcuts'

/** Every shortcut of the page we are on, read from the commands themselves, so that it cannot be out of date. */
export function ShortcutsHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const commands = useAllCommands().filter((c) => c.shortcut)
  const groups = [...new Set(commands.map((c) => c.group))]
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={620}>Keyboard shortcuts</Text>} size="lg">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl" verticalSpacing="lg">
        {groups.map((group) => (
          <Stack key={group} gap={6}>
            <Title order={3} size="h4">
              {group}
            </Title>
            {commands
              .filter((c) => c.group === group)
              .map((c) => (
                <Group key={c.id} justify="space-between" wrap="nowrap" gap="md">
                  <Text size="sm">{c.label}</Text>
                  <Kbd size="xs" style={{ whiteSpace: 'nowrap' }}>
                    {spoken(c.shortcut!)}
                  </Kbd>
                </Group>
              ))}
          </Stack>
        ))}
        <Stack gap={6}>
          <Title order={3} size="h4">
            In tables
          </Title>
          {[
            ['Move by rows', '↑ ↓ PgUp PgDn'],
            ['First, last row', 'Home End'],
            ['Open the row', 'Enter'],
            ['Select the row', 'Space'],
          ].map(([what, keys]) => (
            <Group key={what} justify="space-between" wrap="nowrap">
              <Text size="sm">{what}</Text>
              <Kbd size="xs">{keys}</Kbd>
            </Group>
          ))}
        </Stack>
      </SimpleGrid>
    </Modal>
  )
}
