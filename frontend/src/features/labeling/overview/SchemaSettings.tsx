/** How the queue is worked. */
import { Button, Group, NumberInput, Paper, Select, Slider, Stack, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useProjectSlug } from '@/api/me'
import { notifyDone } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { useRefresh, type LabelSchema } from '../data'
import { orderQuery } from '../explore/data'
import { TogetherField } from '../together/TogetherField'

export function SchemaSettings({ schema }: { schema: LabelSchema }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const [name, setName] = useState(schema.name)
  const [overlap, setOverlap] = useState<number | string>(schema.overlap)
  const [share, setShare] = useState(Math.round(schema.review_share * 100))
  const [together, setTogether] = useState(schema.together)
  const [order, setOrder] = useState(schema.order)
  const orders = useQuery(orderQuery(project, schema.slug))
  const [column, setColumn] = useState<string | null>(null)
  const [rising, setRising] = useState<boolean | null>(null)
  const by = column ?? orders.data?.column ?? orders.data?.columns[0] ?? null
  const descending = rising === null ? (orders.data?.descending ?? true) : !rising
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const save = async () => {
    setBusy(true)
    setError(null)
    try {
      await unwrap(api.PATCH('/api/v1/projects/{project}/label-schemas/{label_schema}', { params: { path: { project, label_schema: schema.slug } }, body: { name, overlap: together === 'shared' ? 1 : Number(overlap) || 1, review_share: share / 100, together } }))
      await unwrap(api.PUT('/api/v1/projects/{project}/label-schemas/{label_schema}/order', { params: { path: { project, label_schema: schema.slug } }, body: { order, column: order === 'value' ? by : null, descending } }))
      await refresh()
      notifyDone('Saved.')
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Paper p="md" withBorder w="100%" maw={520}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void save()
        }}
      >
        <Stack gap="md">
          <TextInput label="Name" value={name} maxLength={120} onChange={(event) => setName(event.currentTarget.value)} />
          <NumberInput label="People for each item" description="More opens complete items again for further people; fewer keeps what is done." min={1} max={20} allowDecimal={false} value={together === 'shared' ? 1 : overlap} disabled={together === 'shared'} onChange={setOverlap} />
          <div>
            <Text size="sm" fw={500} id="settings-share">
              Reviewed: {share} % of what is submitted from now on
            </Text>
            <Slider aria-labelledby="settings-share" thumbLabel="Share that is reviewed" value={share} onChange={setShare} label={(value) => `${value} %`} mt={6} />
          </div>
          <Select
            label="Order"
            allowDeselect={false}
            data={[
              { value: 'sequential', label: 'As in the data set' },
              { value: 'random', label: 'Random' },
              { value: 'uncertain', label: 'Uncertain first: where a model is least sure' },
              { value: 'diverse', label: 'Diverse first: what differs most', disabled: !orders.data?.embedded && schema.order !== 'diverse' },
              { value: 'value', label: 'By a number: highest or lowest first', disabled: !orders.data?.columns.length && schema.order !== 'value' },
            ]}
            description={orders.data && !orders.data.embedded ? 'Diverse first needs embeddings: compute them on the tab “Explore”.' : orders.data?.status === 'failed' ? orders.data.message : orders.data?.status === 'queued' || orders.data?.status === 'running' ? 'The order is being made …' : undefined}
            value={order}
            onChange={(chosen) => chosen && setOrder(chosen as typeof order)}
          />
          {order === 'value' && (
            <Group grow>
              <Select label="Number" allowDeselect={false} data={orders.data?.columns ?? []} value={by} onChange={setColumn} />
              <Select label="First" allowDeselect={false} data={[{ value: 'high', label: 'The highest' }, { value: 'low', label: 'The lowest' }]} value={descending ? 'high' : 'low'} onChange={(value) => setRising(value === 'low')} />
            </Group>
          )}
          <TogetherField value={together} onChange={setTogether} />
          <ErrorNotice error={error} />
          <Button type="submit" loading={busy} style={{ alignSelf: 'flex-start' }}>
            Save
          </Button>
        </Stack>
      </form>
    </Paper>
  )
}
