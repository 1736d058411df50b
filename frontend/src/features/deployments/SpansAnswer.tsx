/** The spans that a model found: in the text, and as a list with how sure it is of each. */
import { Badge, Group, ScrollArea, Stack, Table, Text } from '@mantine/core'
import { useMemo, type CSSProperties } from 'react'
import { percent, plural } from '@/lib/format'
import { pieces, type PredictedSpan } from './marked'
import classes from './SpansAnswer.module.css'

/** Okabe and Ito's, which colour-blind people can tell apart, as in charts. */
const COLORS = ['#0072B2', '#E69F00', '#009E73', '#D55E00', '#CC79A7', '#56B4E9', '#8A7F00', '#7F7F7F']
const LISTED = 200

export function SpansAnswer({ text, spans, labels, score, unread }: { text: string; spans: readonly PredictedSpan[]; labels: readonly string[]; score: number; unread: boolean }) {
  const color = (label: string) => COLORS[Math.max(0, labels.indexOf(label)) % COLORS.length]!
  const cut = useMemo(() => pieces(text, spans), [text, spans])
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Text size="xl" fw={700}>
          {spans.length === 0 ? 'No spans' : plural(spans.length, 'span')}
        </Text>
        <Text size="sm" c="dimmed">
          least sure place: {percent(score)}
        </Text>
      </Group>
      {text && (
        <ScrollArea.Autosize mah={420} type="auto" className={classes.text} viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'Text with its spans' }}>
          {cut.map((piece, n) =>
            piece.covers.length > 0 ? (
              <mark key={n} className={classes.mark} style={paint(piece.covers.map((span) => color(span.label)))} title={piece.covers.map((span) => `${span.label}, ${percent(span.score)}`).join(' · ')}>
                {piece.begins.map((span) => (
                  <span key={span.label} className={classes.label} style={{ '--label': color(span.label) } as CSSProperties} data-label={span.label} aria-hidden />
                ))}
                {piece.text}
              </mark>
            ) : (
              piece.text
            ),
          )}
        </ScrollArea.Autosize>
      )}
      {unread && <Text size="sm">The text is longer than what the model reads; the rest was not looked at.</Text>}
      {spans.length > 0 && (
        <Table fz="sm" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Label</Table.Th>
              <Table.Th>Text</Table.Th>
              <Table.Th ta="right">Sure</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {spans.slice(0, LISTED).map((span) => (
              <Table.Tr key={`${span.start} ${span.end} ${span.label}`}>
                <Table.Td className={classes.whole}>
                  <Badge variant="outline" tt="none" className={classes.badge} style={{ '--label': color(span.label) } as CSSProperties}>
                    {span.label}
                  </Badge>
                </Table.Td>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>{span.text}</Table.Td>
                <Table.Td ta="right" className={classes.whole}>
                  {percent(span.score)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {spans.length > LISTED && (
        <Text size="xs" c="dimmed">
          and {(spans.length - LISTED).toLocaleString()} more
        </Text>
      )}
    </Stack>
  )
}

/** The first cover tints the ground, each has a line below it. */
function paint(colors: readonly string[]): CSSProperties {
  return {
    backgroundColor: `color-mix(in srgb, ${colors[0]!} 18%, transparent)`,
    boxShadow: colors.map((one, n) => `0 ${2 + 3 * n}px 0 ${one}`).join(', '),
  }
}
