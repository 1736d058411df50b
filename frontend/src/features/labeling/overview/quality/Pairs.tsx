/** How far each two people agree. */
import { useMemo } from 'react'
import { Chart } from '@/ui/chart'
import type { Asked } from './Disagreements'
import { beyond, pairsFigure, share, type Quality } from './figures'
import { Section, Small } from './Section'

export function Pairs({ found, names, onOpen }: { found: Quality; names: Map<string, string>; onOpen: (asked: Asked) => void }) {
  const { people, figure } = useMemo(() => pairsFigure(found, names), [found, names])
  const called = (id: string) => names.get(id) ?? 'somebody'
  const open = (one: string, other: string) => onOpen({ person: one, beside: other, title: `${called(one)} and ${called(other)} differ` })
  return (
    <Section
      title="By pair of people"
      help="Mean agreement on the items that both labelled. Choose a cell to see where they differ."
      table={
        <Small
          head={['One', 'Other', 'Agreement', 'Cohen’s κ', 'Items', 'Where they differ']}
          rows={found.pairs.map((pair) => ({ key: pair.one + pair.other, cells: [called(pair.one), called(pair.other), share(pair.agreement), Object.values(pair.kappa).map(beyond).join(', ') || '–', pair.items.toLocaleString()], open: () => open(pair.one, pair.other) }))}
        />
      }
    >
      <Chart
        height={Math.min(110 + 44 * people.length, 640)}
        alt="Agreement of each two people; the table has the same figures and opens the items."
        figure={figure}
        onClick={(event) => {
          const point = (event as { points?: { x?: number; y?: number }[] }).points?.[0]
          const [one, other] = [people[point?.y ?? -1], people[point?.x ?? -1]]
          if (one && other && one !== other) open(one, other)
        }}
      />
    </Section>
  )
}
