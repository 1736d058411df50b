/** How a loop stands: what it waits for, its learning curve beside random order, and its rounds. */
import { Anchor, Badge, Button, Group, Paper, Progress, SimpleGrid, Stack, Table, Text } from '@mantine/core'
import { IconPlayerStop } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, percent } from '@/lib/format'
import { Chart } from '@/ui/chart'
import { notifyError } from '@/ui/confirm'
import { StackedTable } from '@/ui/StackedTable'
import { useRefresh, type LabelSchema } from '../data'
import { Section, Small } from '../overview/quality/Section'
import { curveFigure, measured, measureOf, type Loop, type Round } from './data'

const STAGES = { freeze: 'freezing the labels', train: 'training', measure: 'measuring the model', suggest: 'suggesting labels' }
const COLORS = { running: 'blue', succeeded: 'green', failed: 'red', cancelled: 'gray' }

export function LoopNow({ schema, loop }: { schema: LabelSchema; loop: Loop }) {
  return (
    <>
      <Standing schema={schema} loop={loop} />
      {measured(loop).length > 0 && <Curve loop={loop} />}
      {loop.rounds.length > 0 && <Rounds loop={loop} />}
    </>
  )
}

function Standing({ schema, loop }: { schema: LabelSchema; loop: Loop }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const [busy, setBusy] = useState(false)
  const stop = async () => {
    setBusy(true)
    try {
      await unwrap(api.DELETE('/api/v1/projects/{project}/label-schemas/{label_schema}/loop', { params: { path: { project, label_schema: schema.slug } } }))
      await refresh()
    } catch (failure) {
      notifyError(failure)
    } finally {
      setBusy(false)
    }
  }
  const going = loop.rounds.find((round) => round.status === 'running')
  const left = Math.max(loop.next_at - loop.labels, 0)
  const next = loop.rounds.length + 1
  const words = !loop.active
    ? `Stopped ${loop.stopped_at ? ago(loop.stopped_at) : ''}. Its models, suggestions and curve stay.`
    : going
      ? `Round ${going.number}: ${STAGES[going.stage]} …`
      : loop.message || (left > 0 ? `Round ${next} begins after ${left.toLocaleString()} more labels.` : `Round ${next} begins in a moment.`)
  const since = loop.next_at - loop.every
  return (
    <Section
      title="Learning from the labels"
      aside={
        loop.active &&
        can('label.manage') && (
          <Button size="xs" color="red" variant="light" leftSection={<IconPlayerStop size={15} aria-hidden />} loading={busy} onClick={() => void stop()}>
            Stop
          </Button>
        )
      }
    >
      <Text size="sm" role="status" mb="sm">
        {words} {loop.active && loop.drawing && 'A random draw is being trained.'}
      </Text>
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        <Figure name="Labels to learn from" value={loop.labels} of={loop.next_at} share={(loop.labels - since) / loop.every} />
        <Figure name="Held-out items labelled" value={loop.test_labelled} of={loop.test_items} share={loop.test_labelled / Math.max(loop.test_items, 1)} />
        <Paper p="md" withBorder>
          <Text size="xs" c="dimmed">
            Pipeline
          </Text>
          <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: loop.pipeline }} {...props} />}>
            {loop.pipeline_name}
          </Anchor>
          {loop.dataset && (
            <Text size="xs" c="dimmed" mt={4}>
              learns from{' '}
              <Anchor size="xs" renderRoot={(props) => <Link to="/p/$project/datasets/$dataset" params={{ project, dataset: loop.dataset! }} {...props} />}>
                {loop.dataset}
              </Anchor>
            </Text>
          )}
        </Paper>
      </SimpleGrid>
    </Section>
  )
}

function Figure({ name, value, of, share }: { name: string; value: number; of: number; share: number }) {
  return (
    <Paper p="md" withBorder>
      <Text size="xs" c="dimmed">
        {name}
      </Text>
      <Text fz={24} fw={650} lh={1.3}>
        {value.toLocaleString()}
        <Text span size="sm" c="dimmed" fw={400}>
          {' '}
          of {of.toLocaleString()}
        </Text>
      </Text>
      <Progress value={100 * Math.min(Math.max(share, 0), 1)} size="sm" mt={6} aria-label={`${name}: ${value} of ${of}`} />
    </Paper>
  )
}

function Curve({ loop }: { loop: Loop }) {
  const rows = [
    ...measured(loop).map((round) => ({ key: `r${round.number}`, cells: [`Least sure first, round ${round.number}`, round.labels.toLocaleString(), percent(round.accuracy, 1), `${percent(round.low, 1)} to ${percent(round.high, 1)}`] })),
    ...loop.random.map((point) => ({ key: `d${point.labels}`, cells: [`Random order, ${point.draws === 1 ? 'one draw' : `mean of ${point.draws} draws`}`, point.labels.toLocaleString(), percent(point.accuracy, 1), `${percent(point.low, 1)} to ${percent(point.high, 1)}`] })),
  ]
  const last = measured(loop).at(-1)
  const measure = measureOf(loop)
  const beyond = loop.draws > 0 && last && last.labels > loop.reach ? ` It ends at ${loop.reach.toLocaleString()} labels, because the random sample is no larger.` : ''
  return (
    <Section title="Learning curve" help={measure.help} table={<Small head={['Line', 'Labels', measure.name, 'Between']} rows={rows} />}>
      <Chart height={320} alt={`${measure.name} by number of labels, least sure first and in random order; the table has the same figures.`} figure={curveFigure(loop)} />
      {loop.draws > 0 && (
        <Text size="xs" c="dimmed" mt="xs" maw={760}>
          Random order: the same pipeline, trained on as many items drawn at random from those that were drawn from the whole queue when the loop began, and measured on the rest of them; the mean of the draws, with the least and the most.{beyond}
        </Text>
      )}
    </Section>
  )
}

function Rounds({ loop }: { loop: Loop }) {
  const project = useProjectSlug()
  const cells = (round: Round): [string, React.ReactNode][] => [
    ['Labels', round.labels.toLocaleString()],
    [measureOf(loop).name, round.accuracy === null ? '–' : loop.measure === 'f1' ? percent(round.accuracy, 1) : `${percent(round.accuracy, 1)} ${loop.measure === 'map_50' ? 'on' : 'of'} ${round.tested.toLocaleString()}`],
    [
      'Model',
      round.model ? (
        <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/models/$model" params={{ project, model: round.model! }} {...props} />}>
          {round.model}@{round.model_version}
        </Anchor>
      ) : (
        '–'
      ),
    ],
    [
      'Run',
      round.run ? (
        <Anchor size="sm" renderRoot={(props) => <Link to="/p/$project/runs/$run" params={{ project, run: round.run! }} {...props} />}>
          #{round.run_number}
        </Anchor>
      ) : (
        '–'
      ),
    ],
    ['Suggested', round.suggested.toLocaleString()],
    ['Begun', ago(round.started_at)],
  ]
  return (
    <Section title="Rounds">
      <StackedTable minWidth={720}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Round</Table.Th>
            {cells(loop.rounds[0]!).map(([name]) => (
              <Table.Th key={name}>{name}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {[...loop.rounds].reverse().map((round) => (
            <Table.Tr key={round.number}>
              <Table.Td>
                <Stack gap={2}>
                  <Group gap="xs">
                    {round.number}
                    <Badge color={COLORS[round.status]}>{round.status === 'running' ? STAGES[round.stage] : round.status}</Badge>
                  </Group>
                  {round.message && (
                    <Text size="xs" c={round.status === 'failed' ? 'red' : 'dimmed'} maw={360}>
                      {round.message}
                    </Text>
                  )}
                </Stack>
              </Table.Td>
              {cells(round).map(([name, value]) => (
                <Table.Td key={name} data-label={name}>
                  {value}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </StackedTable>
    </Section>
  )
}
