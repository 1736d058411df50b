/** What can be done with what is chosen: one label for all, undone as one; an assignment; a look at one of them. */
import { Alert, Button, Group, Modal, Paper, Select, Stack, Text } from '@mantine/core'
import { IconTag, IconUserPlus, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useCan, useProjectSlug } from '@/api/me'
import { plural } from '@/lib/format'
import { notifyDone, notifyUndo } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { configOf, useRefresh, wordingsQuery, type LabelSchema } from '../data'
import { AssignForm } from '../overview/AssignForm'
import { questionOf, type SpaceItem } from './data'

const BULKS = '/api/v1/projects/{project}/label-schemas/{label_schema}/bulks'

export function Selection({ schema, chosen, onDone, onAll, all }: { schema: LabelSchema; chosen: SpaceItem[]; onDone: () => void; onAll?: () => void; all?: number }) {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const newest = useQuery(wordingsQuery(project, schema.slug)).data?.[0]
  const [label, setLabel] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [refused, setRefused] = useState<Schemas['RefusedOut'][]>([])
  const [assigning, setAssigning] = useState(false)
  const path = { project, label_schema: schema.slug }
  const question = newest && questionOf(configOf(newest.config))
  const items = [...new Set(chosen.flatMap((one) => (one.item === null ? [] : [one.item])))]
  // One's own are changed one by one, where their page shows what was said.
  const open = [...new Set(chosen.flatMap((one) => (one.item === null || one.mine ? [] : [one.item])))]
  const bulk = async () => {
    if (!newest || !question || !label) return
    setBusy(true)
    setError(null)
    setRefused([])
    try {
      const result = [{ id: 'bulk', from_name: question.name, to_name: question.to, type: 'choices', value: { choices: [label] } }]
      const made = await unwrap(api.POST(BULKS, { params: { path }, body: { items: open, schema_version: newest.number, result, seconds: 0 } }))
      await refresh()
      setRefused(made.refused)
      if (made.count > 0) {
        notifyUndo(`Labelled ${plural(made.count, 'item')} “${label}”.`, async () => {
          const undone = await unwrap(api.POST(`${BULKS}/{bulk_id}/undo`, { params: { path: { ...path, bulk_id: made.id } } }))
          await refresh()
          notifyDone(`${plural(undone.undone, 'label')} taken back${undone.kept ? `; ${undone.kept} stay, because somebody has gone on from them` : ''}.`)
        })
      }
      if (made.refused.length === 0) onDone()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Paper withBorder p="xs" role="region" aria-label="What is chosen">
      <Stack gap="xs">
        <Group gap="xs">
          <Text size="sm" fw={600} role="status" className="tabular">
            {chosen.length === 0 ? 'Nothing chosen' : `${plural(chosen.length, 'item')} chosen`}
          </Text>
          {onAll && all !== undefined && chosen.length < all && (
            <Button size="compact-sm" variant="subtle" onClick={onAll}>
              Choose all {all.toLocaleString()}
            </Button>
          )}
          {chosen.length > 0 && (
            <Button size="compact-sm" variant="subtle" color="gray" leftSection={<IconX size={14} aria-hidden />} onClick={onDone}>
              Clear
            </Button>
          )}
        </Group>
        {chosen.length > 0 && (
          <Group gap="xs" align="flex-end">
            {can('label.annotate') && question && (
              <>
                <Select aria-label="Label for all of them" placeholder="Label" searchable size="xs" w={150} data={question.labels.map((one) => one.value)} value={label} onChange={setLabel} />
                <Button size="xs" loading={busy} disabled={!label || open.length === 0} leftSection={<IconTag size={15} aria-hidden />} onClick={() => void bulk()}>
                  Label {open.length.toLocaleString()}
                </Button>
              </>
            )}
            {can('label.manage') && (
              <Button size="xs" variant="default" disabled={items.length === 0} leftSection={<IconUserPlus size={15} aria-hidden />} onClick={() => setAssigning(true)}>
                Assign
              </Button>
            )}
            {items.length === 1 && (
              <Button size="xs" variant="default" renderRoot={(props) => <Link to="/p/$project/labels/$schema/items/$item" params={{ project, schema: schema.slug, item: String(items[0]) }} {...props} />}>
                Open
              </Button>
            )}
          </Group>
        )}
        {chosen.length > 0 && newest && !question && (
          <Text size="xs" c="dimmed">
            Many are labelled at once where the question has one choice; this schema asks none.
          </Text>
        )}
        <ErrorNotice error={error} />
        {refused.length > 0 && (
          <Alert color="yellow" title={`${plural(refused.length, 'item')} could not be labelled`} withCloseButton closeButtonLabel="Close" onClose={() => setRefused([])}>
            <Stack gap={2}>
              {reasons(refused).map(([why, count]) => (
                <Text size="sm" key={why}>
                  {count > 1 ? `${count} × ` : ''}
                  {why}
                </Text>
              ))}
            </Stack>
          </Alert>
        )}
      </Stack>
      <Modal opened={assigning} onClose={() => setAssigning(false)} title={`Assign ${plural(items.length, 'item')}`}>
        {assigning && <AssignForm schema={schema} items={items} onDone={() => setAssigning(false)} />}
      </Modal>
    </Paper>
  )
}

function reasons(refused: Schemas['RefusedOut'][]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { why } of refused) counts.set(why, (counts.get(why) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}
