import { Paper, SimpleGrid, Text, type SimpleGridProps } from '@mantine/core'

/** A few numbers beside each other: what each is, its value, and a word about it. */
export function Figures({ cols, figures }: { cols: SimpleGridProps['cols']; figures: readonly (readonly [name: string, value: string, more: string])[] }) {
  return (
    <SimpleGrid cols={cols}>
      {figures.map(([name, value, more]) => (
        <Paper key={name} p="md" withBorder>
          <Text size="xs" c="dimmed">
            {name}
          </Text>
          <Text fz={24} fw={650} lh={1.3}>
            {value}
          </Text>
          <Text size="xs" c="dimmed">
            {more}
          </Text>
        </Paper>
      ))}
    </SimpleGrid>
  )
}
