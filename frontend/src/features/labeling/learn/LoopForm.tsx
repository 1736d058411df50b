/** Begin a loop: which pipeline trains, how often, and on how many items its models are measured. */
import { Button, Group, NumberInput, Paper, Select, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconRepeat } from '@tabler/icons-react'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useRefresh, type LabelSchema } from '../data'
import { Section } from '../overview/quality/Section'

const NEW = ' new'
const TEMPLATES: Record<string, string> = {
  'image-classification': 'pictures',
  'object-detection': 'boxes on pictures',
  'text-classification': 'texts',
  'table-classification': 'tables',
  'span-tagging': 'spans of texts',
}
const HELD: Record<string, string> = { audio: 'sounds', video: 'videos', document: 'PDFs' }

export function LoopForm({ schema, now }: { schema: LabelSchema; now: Schemas['LoopNowOut'] }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const { loop, candidates, template } = now
  const [pipeline, setPipeline] = useState(loop?.pipeline ?? candidates[0]?.slug ?? NEW)
  const [every, setEvery] = useState<number | string>(loop?.every ?? 50)
  const [test, setTest] = useState<number | string>(loop?.test_size ?? 100)
  const [draws, setDraws] = useState<number | string>(loop?.draws ?? 3)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const begin = async () => {
    setBusy(true)
    setError(null)
    try {
      const which = pipeline === NEW ? { template } : { pipeline }
      await unwrap(api.PUT('/api/v1/projects/{project}/label-schemas/{label_schema}/loop', { params: { path: { project, label_schema: schema.slug } }, body: { ...which, every: Number(every), test_size: Number(test), draws: Number(draws) } }))
      await refresh()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const about = 'After every so many labels a model is trained on them. It suggests labels for all that is open, and the queue then begins with what it is least sure of.'
  if (!template) {
    return (
      <Section title="Learn while labelling" help={about}>
        <Text size="sm">There is no training pipeline for {HELD[schema.modality] ?? schema.modality} yet.</Text>
      </Section>
    )
  }
  if (!can('label.manage')) {
    return (
      <Section title="Learn while labelling" help={about}>
        <Text size="sm">Nobody has begun it here.</Text>
      </Section>
    )
  }
  const choices = [...candidates.map((one) => ({ value: one.slug, label: one.name })), { value: NEW, label: `A new one, from the template for ${TEMPLATES[template] ?? 'such data'}` }]
  return (
    <Section title={loop ? 'Go on learning' : 'Learn while labelling'} help={about}>
      <Paper p="md" withBorder maw={760}>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            void begin()
          }}
        >
          <Stack gap="md">
            <Select label="Pipeline that trains" description="It reads one data set and registers one model. What is changed in it later does not change a loop that runs." allowDeselect={false} data={choices} value={pipeline} onChange={(chosen) => chosen && setPipeline(chosen)} />
            <SimpleGrid cols={{ base: 1, sm: 3 }}>
              <NumberInput label="Train after every" description="new labels" min={2} max={100000} value={every} onChange={setEvery} required />
              <NumberInput label="Items to measure on" description="drawn at random, labelled first" min={5} max={100000} value={test} onChange={setTest} required />
              <NumberInput label="Random draws" description="per round, for comparison" min={0} max={10} value={draws} onChange={setDraws} required />
            </SimpleGrid>
            <ErrorNotice error={error} />
            <Group justify="flex-end">
              <Button type="submit" loading={busy} leftSection={<IconRepeat size={16} aria-hidden />}>
                {loop ? 'Go on' : 'Begin'}
              </Button>
            </Group>
          </Stack>
        </form>
      </Paper>
    </Section>
  )
}
