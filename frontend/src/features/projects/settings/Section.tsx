import { Box, Group, Paper, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** One block of a settings page. */
export function Section({ title, description, children, actions, danger = false }: { title: string; actions?: ReactNode; description?: ReactNode; children: ReactNode; danger?: boolean }) {
  return (
    <Paper component="section" aria-label={title} p="lg" style={danger ? { borderColor: 'var(--mantine-color-error)' } : undefined}>
      <Group justify="space-between" align="flex-start">
        <Title order={2} size="h3">
          {title}
        </Title>
        {actions}
      </Group>
      {description && (
        <Text component="div" size="sm" c="dimmed" mt={2} maw={720}>
          {description}
        </Text>
      )}
      <Box mt="md">{children}</Box>
    </Paper>
  )
}
