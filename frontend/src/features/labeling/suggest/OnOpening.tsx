/** Which model is asked when somebody opens an item: chosen, shown with who chose it and what answers now, and switched off again. */
import { Alert, Button, Group, Select, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { useProjectSlug } from '@/api/me'
import { ago } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { onOpeningQuery, useRefresh, type LabelSchema } from '../data'
import { useAct } from './act'
import { bodyOf, type Choices } from './choices'

type Setting = Schemas['AskOnOpeningOut']
const PATH = '/api/v1/projects/{project}/label-schemas/{label_schema}/suggestions/on-opening'

export function OnOpening({ schema, choices }: { schema: LabelSchema; choices: Choices }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const query = useQuery(onOpeningQuery(project, schema.slug))
  const [chosen, setChosen] = useState<string | null>(null)
  const { busy, error, act } = useAct(async () => {
    await refresh()
    setChosen(null)
  })
  const params = { path: { project, label_schema: schema.slug } }
  const setting = query.data
  const now = setting ? (setting.endpoint ? `endpoint ${setting.endpoint}` : `model ${setting.model ?? ''}`) : null
  const known = choices.flatMap((group) => group.items.map((one) => one.value))
  const whom = chosen ?? (now && known.includes(now) ? now : null)
  if (query.isPending) return <Skeleton h={60} />
  return (
    <Stack gap="sm">
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {setting && <Told setting={setting} />}
      {known.length > 0 && <Select label="Model asked when an item is opened" placeholder="No model is asked" data={choices} value={whom} onChange={setChosen} allowDeselect={false} />}
      <ErrorNotice error={error} />
      <Group justify="flex-end">
        {setting && (
          <Button variant="default" loading={busy && chosen === null} onClick={() => void act(() => unwrap(api.DELETE(PATH, { params })))}>
            Switch off
          </Button>
        )}
        {(known.length > 0 || !setting) && (
          <Button loading={busy && chosen !== null} disabled={!whom || whom === now} onClick={() => void act(() => unwrap(api.PUT(PATH, { params, body: bodyOf(whom!) })))}>
            {setting ? 'Change' : 'Ask when opened'}
          </Button>
        )}
      </Group>
    </Stack>
  )
}

function Told({ setting }: { setting: Setting }) {
  const by = setting.set_by ? `, set by ${setting.set_by.name || setting.set_by.email}` : ''
  return (
    <>
      <Text size="sm" role="status">
        <b>{setting.by}</b> is asked{by} {ago(setting.set_at)}.{setting.answers && setting.answers !== setting.by ? ` Now ${setting.answers} answers.` : ''}
      </Text>
      {setting.problem && (
        <Alert color="yellow" title="Nothing is suggested now">
          {setting.problem}
        </Alert>
      )}
    </>
  )
}
