/** How far people agree, where they do not, and how well and fast each of them labels. */
import { Alert, Anchor, Button, Group, Select, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core'
import { IconPlayerPause, IconRefresh } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ago } from '@/lib/format'
import { Chart } from '@/ui/chart'
import { notifyError } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { Figures } from '@/ui/Figures'
import { qualityQuery, useRefresh, type LabelSchema } from '../../data'
import { Outcomes } from '../../learn/Outcomes'
import { Confusion } from './Confusion'
import { Disagreements, type Asked } from './Disagreements'
import { beyond, labelledControls, labelsFigure, namesOf, share, timelineFigure, type Quality as Found } from './figures'
import { Pairs } from './Pairs'
import { People } from './People'
import { Section, Small } from './Section'

export function Quality({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const query = useQuery(qualityQuery(project, schema.slug))
  const [asked, setAsked] = useState<Asked | null>(null)
  const found = query.data
  if (query.isPending) return <Skeleton h={200} />
  if (query.error || !found) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  const names = namesOf(found)
  return (
    <Stack gap="xl">
      <Standing schema={schema} found={found} />
      {found.pauses.map((pause) => (
        <Paused key={pause.user.id} schema={schema} pause={pause} own={found.own} />
      ))}
      {found.status === 'failed' && <ErrorNotice error={new Error(found.message)} />}
      {found.measured_at && !found.own && <Overview schema={schema} found={found} />}
      {found.people.length > 0 && <People found={found} names={names} />}
      <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl" verticalSpacing="xl">
        {found.labels.length > 0 && <Confusion found={found} names={names} onOpen={setAsked} />}
        {found.labels.length > 0 && <Labels found={found} onOpen={setAsked} />}
        {found.pairs.length > 0 && <Pairs found={found} names={names} onOpen={setAsked} />}
        {found.timeline.some((week) => week.right !== null) && <Timeline found={found} names={names} />}
      </SimpleGrid>
      <Outcomes schema={schema} />
      <Disagreements schema={schema} asked={asked} onClose={() => setAsked(null)} />
    </Stack>
  )
}

function Standing({ schema, found }: { schema: LabelSchema; found: Found }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const running = found.status === 'queued' || found.status === 'running'
  const since = found.now - found.annotations
  const measure = async () => {
    try {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/quality', { params: { path: { project, label_schema: schema.slug } } }))
      await refresh()
    } catch (failure) {
      notifyError(failure)
    }
  }
  return (
    <Group justify="space-between">
      <Text size="sm" c="dimmed" role="status">
        {running ? 'Being measured…' : found.measured_at ? `${found.own ? 'Your figures, measured' : 'Measured'} ${ago(found.measured_at)}${since > 0 ? `; ${since.toLocaleString()} annotations are newer` : ''}.` : 'Not measured yet.'}
      </Text>
      {can('label.review') && (
        <Button size="xs" variant="default" leftSection={<IconRefresh size={15} aria-hidden />} loading={running} onClick={() => void measure()}>
          Measure now
        </Button>
      )}
    </Group>
  )
}

function Paused({ schema, pause, own }: { schema: LabelSchema; pause: Found['pauses'][number]; own: boolean }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const lift = async () => {
    try {
      await unwrap(api.DELETE('/api/v1/projects/{project}/label-schemas/{label_schema}/quality/pauses/{person}', { params: { path: { project, label_schema: schema.slug, person: pause.user.id } } }))
      await refresh()
    } catch (failure) {
      notifyError(failure)
    }
  }
  return (
    <Alert color="yellow" icon={<IconPlayerPause size={18} aria-hidden />} title={own ? 'Your work here is paused' : `${pause.user.name || pause.user.email} is paused`}>
      <Group justify="space-between">
        <Text size="sm">
          Told them: {pause.reason}. Since {ago(pause.created_at)}.
        </Text>
        {can('label.manage') && (
          <Button size="compact-sm" variant="default" onClick={() => void lift()}>
            Let them go on
          </Button>
        )}
      </Group>
    </Alert>
  )
}

function Overview({ schema, found }: { schema: LabelSchema; found: Found }) {
  const project = useProjectSlug()
  if (found.items === 0) {
    return (
      <Text size="sm" c="dimmed">
        {schema.overlap > 1 ? 'No item has been labelled by everybody yet.' : 'Each item is labelled by one person. With two or more (Settings), this page tells how far they agree.'}
      </Text>
    )
  }
  const alphas = found.controls.flatMap((one) => (one.alpha === null ? [] : [one.alpha]))
  const worse = found.people.filter((person) => person.drift?.worse).length
  const known = found.people.filter((person) => person.honeypot_score !== null)
  const answers = known.reduce((sum, person) => sum + person.honeypots, 0)
  const honey = answers ? known.reduce((sum, person) => sum + person.honeypots * (person.honeypot_score ?? 0), 0) / answers : null
  const cards: [string, string, string][] = [
    ['Agreement of two people', share(found.agreement), `over ${found.items.toLocaleString()} complete items`],
    ['Krippendorff’s α', alphas.length ? beyond(Math.min(...alphas)) : '–', alphas.length ? 'beyond chance, of the least clear question' : 'of questions with a single choice'],
    ['Honeypots', share(honey), answers ? `of ${answers.toLocaleString()} answers` : 'none answered yet'],
    ['Became worse', String(worse), worse === 1 ? 'person, against their earlier work' : 'people, against their earlier work'],
  ]
  return (
    <Stack gap="sm">
      <Figures cols={{ base: 2, md: 4 }} figures={cards} />
      <Text size="sm" c="dimmed" maw={760}>
        Regions agree where they have the same label and overlap by at least half. α and κ leave out what chance alone would give: above 0.8 is good; below 0.67 the question is not clear enough.{' '}
        <Anchor size="sm" underline="always" renderRoot={(props) => <Link to="/p/$project/labels/$schema" params={{ project, schema: schema.slug }} search={{ tab: 'items', state: 'differing' }} {...props} />}>
          Items on which a person must decide
        </Anchor>
      </Text>
      <Small
        head={['Question', 'Agreement', 'α', 'Fleiss’ κ', 'Pairs']}
        rows={found.controls.map((one) => ({ key: one.control, cells: [one.control, share(one.agreement), beyond(one.alpha), beyond(one.fleiss), one.pairs.toLocaleString()] }))}
      />
    </Stack>
  )
}

function Labels({ found, onOpen }: { found: Found; onOpen: (asked: Asked) => void }) {
  const controls = labelledControls(found)
  const [control, setControl] = useState(controls[0] ?? '')
  const rows = found.labels.filter((one) => one.control === control)
  return (
    <Section
      title="By label"
      help="Of the times somebody said a label, how often the other said it too."
      aside={controls.length > 1 && <Select aria-label="Question" size="xs" data={controls} value={control} allowDeselect={false} onChange={(chosen) => chosen && setControl(chosen)} />}
      table={
        <Small
          head={['Label', 'Agreement', 'Said', 'Where they differ']}
          rows={rows.map((one) => ({ key: one.label, cells: [one.label, share(one.agreement), one.said.toLocaleString()], open: one.agreement < 1 ? () => onOpen({ control, said: one.label, title: `${one.label}: people differ` }) : undefined }))}
        />
      }
    >
      <Chart height={60 + 30 * rows.length} alt={`Agreement by label of ${control}; the table has the same figures.`} figure={labelsFigure(found, control)} onClick={(event) => {
        const label = (event as { points?: { y?: string }[] }).points?.[0]?.y
        if (label) onOpen({ control, said: label, title: `${label}: people differ` })
      }} />
    </Section>
  )
}

function Timeline({ found, names }: { found: Found; names: Map<string, string> }) {
  return (
    <Section
      title="Over time"
      help="How right each person was, week by week: against known answers, reviews and the ground truth."
      table={
        <Small
          head={['Person', 'Week of', 'Right', 'Judged', 'Annotations']}
          rows={found.timeline.map((week) => ({ key: week.person + week.week, cells: [names.get(week.person) ?? 'somebody', week.week, share(week.right), week.judged.toLocaleString(), week.annotations.toLocaleString()] }))}
        />
      }
    >
      <Chart height={280} alt="How right each person was by week; the table has the same figures." figure={timelineFigure(found, names)} />
    </Section>
  )
}

