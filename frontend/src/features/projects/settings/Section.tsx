import { Box, Paper, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** One block of a settings page. */
export function Section({ title, description, children, danger = false }: { title: string; description?: ReactNode; children: ReactNode; danger?: boolean }) {
  return (
    <Paper component="section" aria-label={title} p="lg" style={danger ? { borderColor: 'var(--mantine-color-error)' } : undefined}>
      <Title order={2} size="h3">
        {title}
      </Title>
      {description && (
        <Text component="div" size="sm" c="dimmed" mt={2} maw={720}>
          {description}
        </Text>
      )}
      <Box mt="md">{children}</Box>
    </Paper>
  )
}
