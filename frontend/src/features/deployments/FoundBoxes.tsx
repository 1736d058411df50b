/** What a detector found, drawn over the picture that it was asked about, and as a list. */
import { Box, Group, Switch, Table, Text } from '@mantine/core'
import { useState } from 'react'
import type { Schemas } from '@/api/client'
import { percent } from '@/lib/format'
import classes from './deployments.module.css'

type Found = Schemas['FoundBox']

/** Okabe and Ito's colours, dark enough for white letters. */
const COLORS = ['#0072b2', '#b34700', '#00704f', '#9c3d77', '#6b5b00', '#205a8c', '#5b3fa0', '#555555']

/** The same label has the same colour, whichever of them were found. */
export function colorsOf(labels: readonly string[]): (label: string) => string {
  return (label) => COLORS[Math.max(0, labels.indexOf(label)) % COLORS.length]!
}

export function FoundBoxes({ picture, labels, boxes, unsure }: { picture: string; labels: readonly string[]; boxes: readonly Found[]; unsure: readonly Found[] }) {
  const [all, setAll] = useState(false)
  const color = colorsOf(labels)
  const shown = [...boxes.map((box) => ({ ...box, sure: true })), ...(all ? unsure.map((box) => ({ ...box, sure: false })) : [])]
  return (
    <Box mt="xs">
      <Group justify="space-between" mb="xs">
        <Text fw={600} role="status">
          {boxes.length === 0 ? 'It found nothing that it is sure of.' : boxes.length === 1 ? 'It found 1 box.' : `It found ${boxes.length} boxes.`}
        </Text>
        {unsure.length > 0 && <Switch size="sm" label={`Also what it is unsure of (${unsure.length})`} checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />}
      </Group>
      <div className={classes.found}>
        <img src={picture} alt="What was asked" />
        {shown.map((box, n) => (
          <div key={n} className={classes.box} data-sure={box.sure || undefined} style={{ left: `${box.x}%`, top: `${box.y}%`, width: `${box.width}%`, height: `${box.height}%`, borderColor: color(box.label) }} aria-hidden>
            <span style={{ background: color(box.label) }} data-below={box.y < 8 || undefined}>
              {box.label}
            </span>
          </div>
        ))}
      </div>
      {shown.length > 0 && (
        <Table fz="sm" mt="sm" verticalSpacing={4} aria-label="Boxes">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Label</Table.Th>
              <Table.Th ta="right">Score</Table.Th>
              <Table.Th ta="right">Middle</Table.Th>
              <Table.Th ta="right">Size</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((box, n) => (
              <Table.Tr key={n} c={box.sure ? undefined : 'dimmed'}>
                <Table.Td>{box.label}</Table.Td>
                <Table.Td ta="right" className={classes.whole}>
                  {percent(box.score)}
                </Table.Td>
                <Table.Td ta="right" className={classes.whole}>
                  {percent((box.x + box.width / 2) / 100, 0)}, {percent((box.y + box.height / 2) / 100, 0)}
                </Table.Td>
                <Table.Td ta="right" className={classes.whole}>
                  {percent(box.width / 100, 0)} × {percent(box.height / 100, 0)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Box>
  )
}
