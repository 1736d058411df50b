/** A step that waits for a person: what is asked, the numbers beside it, the values to fill in, and the answer. */
import { Button, Group, NumberInput, ScrollArea, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core'
import { IconCheck, IconChevronDown, IconChevronUp, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { isApiError, type Schemas } from '@/api/client'
import { useCan, useMe } from '@/api/me'
import { ago, dateTime, humanise } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { MetricsView, type MetricsValue } from '@/ui/artifact'
import { useDecide } from './data'
import { Headline } from './Headline'
import classes from './patterns.module.css'

type Question = Schemas['QuestionOut']
type Value = string | number | boolean

/** What the form shows at first, as the worker reads it. */
function first({ type, value }: Schemas['AskedOut']): Value {
  if (type === 'number') return Number.isFinite(Number(value)) ? Number(value || 0) : 0
  return type === 'yes or no' ? ['yes', 'true', '1'].includes(value.trim().toLowerCase()) : value
}

function whoMay(question: Question): string {
  return question.people?.length ? `Only ${question.people.join(', ')} may decide.` : `Members who are ${question.role} or more may decide.`
}

function deadline(question: Question): string {
  if (!question.until) return 'It waits as long as needed.'
  const then = { approve: 'it is approved', reject: 'it is rejected', fail: 'the step fails' }[question.at_deadline ?? ''] ?? 'the default is taken'
  return `If nobody decides until ${dateTime(question.until)}, ${then}.`
}

/** `mine`: the inbox lists only what this person may answer. */
export function QuestionForm({ project, run, step, question, mine = false }: { project: string; run: string; step: string; question: Question; mine?: boolean }) {
  const can = useCan()
  const me = useMe()
  const named = question.people ?? []
  const may = mine || (can('run.decide') && (named.length === 0 || named.some((one) => one.trim().toLowerCase() === me?.email.toLowerCase())))
  const [values, setValues] = useState<Record<string, Value>>(() => Object.fromEntries((question.fields ?? []).map((one) => [one.name, first(one)])))
  const [comment, setComment] = useState('')
  const decide = useDecide(project, run, step)
  const [asked, setAsked] = useState<'approve' | 'reject' | null>(null)
  const send = (answer: 'approve' | 'reject') => {
    setAsked(answer)
    decide.mutate({ answer, values, comment })
  }
  const errors = isApiError(decide.error) ? decide.error.fields : {}
  const metrics = question.metrics as MetricsValue | null | undefined
  return (
    <Stack gap="sm" className={classes.question} component="section" aria-label="The question">
      <Text fw={620} style={{ overflowWrap: 'anywhere' }}>
        {question.question}
      </Text>
      {metrics && <Measured value={metrics} />}
      {(question.fields ?? []).map((field) => {
        const shared = { label: humanise(field.name), error: errors[`values.${field.name}`], disabled: !may }
        const set = (value: Value) => setValues((now) => ({ ...now, [field.name]: value }))
        if (field.type === 'number') return <NumberInput key={field.name} {...shared} value={values[field.name] as number} onChange={(value) => set(Number(value))} />
        if (field.type === 'yes or no') return <Switch key={field.name} {...shared} checked={values[field.name] === true} onChange={(event) => set(event.currentTarget.checked)} />
        return <TextInput key={field.name} {...shared} value={String(values[field.name] ?? '')} onChange={(event) => set(event.currentTarget.value)} />
      })}
      {may && <Textarea label="Comment" placeholder="Optional: why" autosize minRows={1} maxRows={6} maxLength={2000} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />}
      <Text size="xs" c="var(--mantine-color-text)">
        {may ? '' : 'You may not decide this. '}
        {whoMay(question)} {deadline(question)}
      </Text>
      <ErrorNotice error={decide.error} />
      {may && (
        <Group gap="xs">
          <Button size="xs" leftSection={<IconCheck size={15} aria-hidden />} loading={decide.isPending && asked === 'approve'} disabled={decide.isPending} onClick={() => send('approve')}>
            Approve
          </Button>
          <Button size="xs" variant="default" leftSection={<IconX size={15} aria-hidden />} loading={decide.isPending && asked === 'reject'} disabled={decide.isPending} onClick={() => send('reject')}>
            Reject
          </Button>
        </Group>
      )}
    </Stack>
  )
}

/** The numbers to decide by at once; all of them where somebody wants them, since the answer stands below. */
function Measured({ value }: { value: MetricsValue }) {
  const [all, setAll] = useState(false)
  return (
    <div className={classes.measured}>
      <div className={classes.headline}>
        <Headline metrics={value.values ?? {}} />
      </div>
      <Button size="compact-xs" variant="subtle" mt={6} ml={-8} aria-expanded={all} rightSection={all ? <IconChevronUp size={14} aria-hidden /> : <IconChevronDown size={14} aria-hidden />} onClick={() => setAll(!all)}>
        {all ? 'Only the most important' : 'All that was measured'}
      </Button>
      {all && (
        <ScrollArea type="auto" mt="xs" viewportProps={{ tabIndex: 0, role: 'region', 'aria-label': 'All that was measured' }}>
          <MetricsView value={value} />
        </ScrollArea>
      )}
    </div>
  )
}

/** What was decided, by whom, when. */
export function Decision({ decision }: { decision: Schemas['DecisionOut'] }) {
  const word = decision.answer === 'approve' ? 'Approved' : decision.answer === 'reject' ? 'Rejected' : 'Decided'
  const values = Object.entries(decision.values ?? {})
  return (
    <section aria-label="Decision">
      <Text size="sm" fw={600}>
        {decision.late ? 'Nobody decided in time: the default was taken' : `${word}${decision.name ? ` by ${decision.name}` : ''}`}
        {decision.at && (
          <Text span size="sm" c="dimmed" fw={400} title={dateTime(decision.at)}>
            {' '}
            {ago(decision.at)}
          </Text>
        )}
      </Text>
      {decision.comment && (
        <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          “{decision.comment}”
        </Text>
      )}
      {values.map(([name, value]) => (
        <Text key={name} size="sm">
          {humanise(name)}: {typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)}
        </Text>
      ))}
    </section>
  )
}
