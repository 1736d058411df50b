import { Box, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core'
import type { Icon } from '@tabler/icons-react'
import type { ReactNode } from 'react'

/** An empty page or panel says what will be here and what to do next. `compact` for panels inside a page. */
export function EmptyState({
  icon: IconOf,
  title,
  children,
  actions,
  compact = false,
  page = false,
}: {
  icon: Icon
  title: string
  children?: ReactNode
  actions?: ReactNode
  compact?: boolean
  /** It is the whole page: its title is the page's heading. */
  page?: boolean
}) {
  return (
    <Box py={compact ? 'lg' : 'xl'} px="md">
      <Stack align="center" gap="xs" maw={520} mx="auto" ta="center">
        <ThemeIcon size={compact ? 44 : 60} radius="50%" variant="light" aria-hidden>
          <IconOf size={compact ? 22 : 30} stroke={1.5} />
        </ThemeIcon>
        <Title order={page ? 1 : 2} size={compact ? 'h3' : 'h2'} mt="xs">
          {title}
        </Title>
        {children && (
          <Text component="div" c="dimmed" size="sm">
            {children}
          </Text>
        )}
        {actions && (
          <Group justify="center" gap="xs" mt="sm">
            {actions}
          </Group>
        )}
      </Stack>
    </Box>
  )
}
