/** Where both sides of a link differ and a person must choose: what each says, side by side. */
import { Anchor, Badge, Button, Group, Paper, SimpleGrid, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link as To } from '@tanstack/react-router'
import { api, unwrap, type Schemas } from '@/api/client'
import { useProjectSlug } from '@/api/me'
import { plural } from '@/lib/format'
import { ConfirmButton } from '@/ui/confirm'
import { configOf, resultOf, wordingsQuery, type LabelSchema } from '../data'
import { inWords } from '../words'
import { Fields } from './Differs'
import type { Link } from './SyncTab'
import classes from './sync.module.css'

type Conflict = Schemas['ConflictOut']
type Side = 'ours' | 'theirs'
type Act = (ask: () => Promise<unknown>) => Promise<void>
const LINK = '/api/v1/projects/{project}/label-schemas/{label_schema}/link'

export function Conflicts({ schema, link, act }: { schema: LabelSchema; link: Link; act: Act }) {
  const project = useProjectSlug()
  const params = { path: { project, label_schema: schema.slug } }
  const all = (side: Side) => unwrap(api.POST(`${LINK}/conflicts`, { params, body: { side } }))
  return (
    <section aria-label="Conflicts">
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          {plural(link.conflict_count, 'conflict')}
        </Title>
        {link.conflict_count > 1 && (
          <Group gap="xs">
            {(['ours', 'theirs'] as const).map((side) => (
              <ConfirmButton key={side} size="compact-xs" title={side === 'ours' ? 'Keep what is here, of all of them?' : 'Keep what is there, of all of them?'} message={`${plural(link.conflict_count, 'conflict')}; what the other side says is replaced.`} confirmLabel="Keep" onConfirm={() => act(() => all(side))}>
                {side === 'ours' ? 'Keep all here' : 'Keep all there'}
              </ConfirmButton>
            ))}
          </Group>
        )}
      </Group>
      <Text size="sm" c="dimmed" mb="sm">
        Nothing is overwritten until you choose. Your choice is kept in the audit log.
      </Text>
      <Stack gap="sm">
        {link.conflicts.map((one) => (
          <One key={one.id} schema={schema} conflict={one} choose={(side) => act(() => unwrap(api.POST(`${LINK}/conflicts/{conflict}`, { params: { path: { ...params.path, conflict: one.id } }, body: { side } })))} />
        ))}
      </Stack>
      {link.conflict_count > link.conflicts.length && (
        <Text size="sm" c="dimmed" mt="sm">
          The first {link.conflicts.length}; more follow when these are decided.
        </Text>
      )}
    </section>
  )
}

/** What choosing a side does, by the kind of conflict and which side has something. */
function verbs(conflict: Conflict): Record<Side, string> {
  if (conflict.kind === 'gone_there') return { ours: 'Send it there again', theirs: 'Accept the deletion' }
  if (conflict.kind === 'gone_here') return { ours: 'Delete it there too', theirs: 'Bring it back here' }
  if (conflict.kind === 'file') return { ours: 'Send the file there again', theirs: 'Leave both as they are' }
  if (conflict.kind === 'refused') return conflict.ours ? { ours: 'Try again', theirs: 'Leave both as they are' } : { ours: 'Leave both as they are', theirs: 'Try again' }
  return { ours: conflict.ours ? 'Keep what is here' : 'Delete it there too', theirs: conflict.theirs ? 'Keep what is there' : 'Delete it here too' }
}

function One({ schema, conflict, choose }: { schema: LabelSchema; conflict: Conflict; choose: (side: Side) => Promise<void> }) {
  const project = useProjectSlug()
  const words = verbs(conflict)
  return (
    <Paper withBorder p="sm" component="article" aria-label={`Conflict of ${conflict.key}`}>
      <Group gap="xs" mb="xs" wrap="nowrap" align="flex-start">
        {schema.modality === 'images' && <img className={classes.thumb} alt="" src={`/api/v1/projects/${project}/label-schemas/${schema.slug}/items/${conflict.task}/file`} />}
        <div className={classes.about}>
          <Anchor size="sm" fw={600} className={classes.key} renderRoot={(props) => <To to="/p/$project/labels/$schema/items/$item" params={{ project, schema: schema.slug, item: String(conflict.task) }} {...props} />}>
            {schema.modality === 'table' ? `Task ${conflict.task}` : conflict.key}
          </Anchor>
          <Text size="sm" c="dimmed">
            {conflict.why}
          </Text>
        </div>
      </Group>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        {(['ours', 'theirs'] as const).map((side) => (
          <div key={side} className={classes.side} data-chosen={conflict.chosen === side}>
            <Group justify="space-between" mb={4}>
              <Text size="xs" fw={600} c="dimmed">
                {side === 'ours' ? 'Here' : 'There'}
              </Text>
              {conflict.chosen === side && <Badge size="sm">chosen</Badge>}
            </Group>
            {conflict[side]?.data ? (
              <Fields data={conflict[side].data} other={conflict[side === 'ours' ? 'theirs' : 'ours']?.data ?? {}} />
            ) : (
              <Said schema={schema} said={conflict[side]} />
            )}
            <Button size="compact-sm" variant="default" fullWidth aria-label={`${conflict.key}: ${words[side]}`} onClick={() => void choose(side)}>
              {words[side]}
            </Button>
          </div>
        ))}
      </SimpleGrid>
    </Paper>
  )
}

export function Said({ schema, said }: { schema: LabelSchema; said: Schemas['SideOut'] | null }) {
  const project = useProjectSlug()
  const wordings = useQuery(wordingsQuery(project, schema.slug))
  const newest = wordings.data?.[0]
  if (said === null) return <Text size="sm" fs="italic">Nothing</Text>
  const told = newest ? inWords(configOf(newest.config), resultOf(said.result)) : []
  return (
    <>
      {told.length === 0 && (
        <Text size="sm" fs="italic">
          {said.result.length === 0 ? 'An empty answer' : 'An answer to what is not asked here'}
        </Text>
      )}
      {told.map((one) => (
        <Text size="sm" key={one.control} className={classes.key}>
          <span className={classes.control}>{one.control}</span> {one.words}
        </Text>
      ))}
      {said.by && (
        <Text size="xs" c="dimmed" className={classes.key}>
          by {said.by}
        </Text>
      )}
    </>
  )
}
