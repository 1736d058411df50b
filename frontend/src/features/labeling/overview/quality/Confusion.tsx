/** What people take for what: a cell opens the items behind it. */
import { Group, Select } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Chart } from '@/ui/chart'
import type { Asked } from './Disagreements'
import { called, confusionFigure, confusionOf, labelledControls, NOTHING, type Quality } from './figures'
import { Section, Small } from './Section'

export function Confusion({ found, names, onOpen }: { found: Quality; names: Map<string, string>; onOpen: (asked: Asked) => void }) {
  const controls = labelledControls(found)
  const [control, setControl] = useState(controls[0] ?? '')
  const [person, setPerson] = useState<string | null>(null)
  const cells = useMemo(() => confusionOf(found, control, person), [found, control, person])
  const who = person ? (names.get(person) ?? 'somebody') : 'one'
  const figure = useMemo(() => confusionFigure(cells, who), [cells, who])
  const open = (said: string, other: string) => onOpen({ control, said, other, person: person ?? undefined, title: `${called(said)}, or ${called(other)}?` })
  const rows = cells.labels
    .flatMap((said, i) => cells.labels.map((other, j) => ({ said, other, count: cells.counts[i]?.[j] ?? 0, i, j })))
    .filter((cell) => cell.said !== cell.other && cell.count > 0 && (person || cell.i < cell.j))
    .sort((a, b) => b.count - a.count)
  return (
    <Section
      title="Confusion"
      help="What people take for what; each row by its own total. Choose a cell beside the diagonal to see the items on which people differ so."
      aside={
        <Group gap="xs">
          {controls.length > 1 && <Select aria-label="Question" size="xs" w={112} data={controls} value={control} allowDeselect={false} onChange={(chosen) => chosen && setControl(chosen)} />}
          <Select aria-label="Person" size="xs" w={124} placeholder="Everybody" clearable data={found.people.map((one) => ({ value: one.person, label: names.get(one.person) ?? 'somebody' }))} value={person} onChange={setPerson} />
        </Group>
      }
      table={<Small head={[person ? `${who} said` : 'One said', 'The other said', 'Times', 'Where']} rows={rows.map((cell) => ({ key: `${cell.said}\n${cell.other}`, cells: [called(cell.said), called(cell.other), cell.count.toLocaleString()], open: () => open(cell.said, cell.other) }))} />}
    >
      <Chart
        height={Math.min(110 + 44 * cells.labels.length, 640)}
        alt={`Confusion of ${control}; the table has the same figures and opens the items.`}
        figure={figure}
        onClick={(event) => {
          const point = (event as { points?: { x?: string; y?: string }[] }).points?.[0]
          const label = (value: string | undefined) => (value === NOTHING && !cells.labels.includes(NOTHING) ? '' : value)
          const [said, other] = [label(point?.y), label(point?.x)]
          if (said === undefined || other === undefined || said === other) return
          if (cells.counts[cells.labels.indexOf(said)]?.[cells.labels.indexOf(other)]) open(said, other)
        }}
      />
    </Section>
  )
}
