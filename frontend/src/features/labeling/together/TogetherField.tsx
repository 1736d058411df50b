/** How people work on the items of a schema. */
import { Radio, Stack } from '@mantine/core'

import type { LabelSchema } from '../data'

type Value = LabelSchema['together']

const WAYS: { value: Value; label: string; description: string }[] = [
  { value: 'blind', label: 'Blind', description: "Nobody sees others' work before an item is complete." },
  { value: 'apart', label: 'Apart', description: 'Each for themselves; what was submitted is seen by all.' },
  { value: 'shared', label: 'Together', description: 'All who open an item draw in it at once, and submit one annotation with all their names.' },
]

export function TogetherField({ value, onChange }: { value: Value; onChange: (value: Value) => void }) {
  return (
    <Radio.Group label="How people work" value={value} onChange={(chosen) => onChange(chosen as Value)}>
      <Stack gap={6} mt={6}>
        {WAYS.map((way) => (
          <Radio key={way.value} {...way} />
        ))}
      </Stack>
    </Radio.Group>
  )
}
