/** Labels without a person: from which score on, how wrong they are by an audit, and what each pass labelled, which can be taken back. */
import { Alert, Button, Group, NumberInput, Paper, SimpleGrid, Skeleton, Stack, Switch, Table, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconHandStop } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { ago, percent } from '@/lib/format'
import { ConfirmButton, notifyDone, notifyError } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { Figures } from '@/ui/Figures'
import { StackedTable } from '@/ui/StackedTable'
import { useRefresh, type LabelSchema } from '../data'
import { Section } from '../overview/quality/Section'
import { autoAcceptQuery, type AutoAccept as Found } from './data'

const BASE = '/api/v1/projects/{project}/label-schemas/{label_schema}/auto-accept'

export function AutoAccept({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const can = useCan()
  const query = useQuery(autoAcceptQuery(project, schema.slug))
  const found = query.data
  return (
    <Section title="Labels without a person" help="Where a model is sure enough, its suggestion becomes the label. A share of those items goes to people all the same, who are shown no suggestion and cannot tell which they are: so the errors of the rest are known.">
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {query.isPending && <Skeleton h={120} />}
      {found && (
        <Stack gap="md">
          {found.stopped && (
            <Alert color="yellow" icon={<IconHandStop size={18} aria-hidden />} title="It stopped by itself">
              {found.stopped} What was labelled before stays; take back the pass below if it should not.
            </Alert>
          )}
          {found.status === 'failed' && <ErrorNotice error={new Error(found.message)} />}
          {(found.passes.length > 0 || found.enabled) && <Audit found={found} />}
          {can('label.manage') && <Form key={`${found.enabled} ${found.threshold} ${found.stopped}`} schema={schema} found={found} />}
          {found.passes.length > 0 && <Passes schema={schema} found={found} />}
        </Stack>
      )}
    </Section>
  )
}

function Audit({ found }: { found: Found }) {
  const { audit } = found
  const cards: [string, string, string][] = [
    ['Labelled by models', found.labels.toLocaleString(), found.enabled ? `from a score of ${percent(found.threshold, 0)} on` : 'off now'],
    ['Wrong in the audit', percent(audit.rate, 1), audit.judged ? `${audit.errors.toLocaleString()} of ${audit.judged.toLocaleString()}; 95 % interval ${percent(audit.low, 1)} to ${percent(audit.high, 1)}` : 'nobody has labelled an audited item yet'],
    ['Audit still open', audit.waiting.toLocaleString(), `stops when surely more than ${percent(found.max_error, 0)} are wrong`],
  ]
  return (
    <Figures cols={{ base: 1, sm: 3 }} figures={cards} />
  )
}

function Form({ schema, found }: { schema: LabelSchema; found: Found }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const [enabled, setEnabled] = useState(found.enabled)
  const [threshold, setThreshold] = useState<number | string>(Math.round(1000 * found.threshold) / 10)
  const [share, setShare] = useState<number | string>(Math.round(1000 * found.audit_share) / 10)
  const [most, setMost] = useState<number | string>(Math.round(1000 * found.max_error) / 10)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [asked] = useDebouncedValue(Number(threshold) / 100, 400)
  const would = useQuery({ ...autoAcceptQuery(project, schema.slug, asked), placeholderData: keepPreviousData, enabled: asked >= 0.5 && asked <= 1 })
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      await unwrap(api.PUT(BASE, { params: { path: { project, label_schema: schema.slug } }, body: { enabled, threshold: Number(threshold) / 100, audit_share: Number(share) / 100, max_error: Number(most) / 100 } }))
      await refresh()
      notifyDone('Saved.')
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Paper p="md" withBorder maw={760}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <Stack gap="md">
          <Switch label="Label what a model is sure of" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            <NumberInput label="From a score of" suffix=" %" min={50} max={100} decimalScale={1} value={threshold} onChange={setThreshold} required />
            <NumberInput label="Audited by people" suffix=" %" min={1} max={50} decimalScale={1} value={share} onChange={setShare} required />
            <NumberInput label="Permitted errors" suffix=" %" min={0.1} max={50} decimalScale={1} value={most} onChange={setMost} required />
          </SimpleGrid>
          <Group justify="space-between">
            <Text size="sm" c="dimmed" role="status">
              {would.data ? `${would.data.eligible.toLocaleString()} open items have a suggestion that sure.` : ''}
            </Text>
            <Button type="submit" loading={busy}>
              Save
            </Button>
          </Group>
          <ErrorNotice error={error} />
        </Stack>
      </form>
    </Paper>
  )
}

function Passes({ schema, found }: { schema: LabelSchema; found: Found }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const undo = async (id: string) => {
    try {
      await unwrap(api.POST(`${BASE}/passes/{auto_pass}/undo`, { params: { path: { project, label_schema: schema.slug, auto_pass: id } } }))
      await refresh()
      notifyDone('Its items are in the queue again.')
    } catch (failure) {
      notifyError(failure)
    }
  }
  return (
    <StackedTable minWidth={480}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Pass</Table.Th>
          <Table.Th>From a score of</Table.Th>
          <Table.Th>Labelled</Table.Th>
          <Table.Th>Audited</Table.Th>
          <Table.Th />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {found.passes.map((one) => (
          <Table.Tr key={one.id}>
            <Table.Td>{ago(one.created_at)}</Table.Td>
            <Table.Td data-label="From a score of">{percent(one.threshold, 0)}</Table.Td>
            <Table.Td data-label="Labelled">{one.accepted.toLocaleString()}</Table.Td>
            <Table.Td data-label="Audited">{one.audited.toLocaleString()}</Table.Td>
            <Table.Td ta="right">
              {one.undone_at ? (
                <Text size="sm" c="dimmed">
                  taken back {ago(one.undone_at)}
                </Text>
              ) : (
                can('label.manage') && (
                  <ConfirmButton size="compact-sm" variant="default" title="Take this pass back?" message={`${one.accepted.toLocaleString()} labels go, but for those that a person has confirmed, and their items are in the queue again. Labelling by models is turned off.`} confirmLabel="Take back" onConfirm={() => undo(one.id)}>
                    Take back
                  </ConfirmButton>
                )
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </StackedTable>
  )
}
