/** One item with everything that was said of it, beside each other; a reviewer chooses what is right. */
import { Badge, Button, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import { IconGavel, IconGridDots, IconPencil, IconUsers } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { useHere } from '@/api/events'
import { useCan, useProjectSlug } from '@/api/me'
import { ago } from '@/lib/format'
import { notifyDone } from '@/ui/confirm'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { PageHeader } from '@/ui/PageHeader'
import { Editor, useEditor, type LabelConfig } from '../editor'
import { annotationsQuery, configOf, itemQuery, resultOf, schemaQuery, useRefresh, wordingsQuery, type Annotation, type Work } from '../data'
import { Faces, facesOf, usePresence } from '../together/presence'
import { inWords } from '../words'
import classes from './desk.module.css'

export function ItemPage() {
  const project = useProjectSlug()
  const can = useCan()
  const refresh = useRefresh(project)
  const { schema: slug = '', item: id = '0' } = useParams({ strict: false })
  const schema = useQuery(schemaQuery(project, slug))
  const wordings = useQuery(wordingsQuery(project, slug))
  const item = useQuery(itemQuery(project, slug, Number(id)))
  const said = useQuery(annotationsQuery(project, slug, Number(id)))
  useHere(item.data ? { label_schema: slug, item: item.data.id, doing: 'looking' } : null)
  const here = usePresence(project, schema.data).filter((one) => one.item === item.data?.id)
  const [shown, setShown] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState('')
  const config = wordings.data?.[0] ? configOf(wordings.data[0].config) : null
  const annotation = said.data?.find((one) => one.id === shown) ?? said.data?.[0]
  const joins = schema.data?.together === 'shared' && can('label.annotate') && item.data?.mine === null && item.data.done < item.data.wanted && here.some((one) => one.doing === 'labelling')
  const choose = async (one: Annotation) => {
    setBusy(one.id)
    setError(null)
    try {
      await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/items/{item}/truth', { params: { path: { project, label_schema: slug, item: Number(id) } }, body: { annotation: one.id, comment: '' } }))
      await refresh()
      notifyDone('This is the ground truth now.')
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy('')
    }
  }
  return (
    <>
      <PageHeader
        title={item.data?.key.split('/').pop() ?? 'Item'}
        crumbs={[
          { label: 'Labels', to: '/p/$project/labels', params: { project } },
          { label: schema.data?.name ?? slug, to: '/p/$project/labels/$schema', params: { project, schema: slug } },
        ]}
        badges={item.data?.truth ? <Badge color="green">ground truth</Badge> : item.data ? <Badge color="gray">{`${item.data.done} of ${item.data.wanted} done`}</Badge> : null}
        actions={
          <>
            {item.data && (
              <Button variant="default" leftSection={<IconGridDots size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/$schema" params={{ project, schema: slug }} search={{ tab: 'explore', view: 'similar', item: item.data.id }} {...props} />}>
                Find similar
              </Button>
            )}
            <Faces people={facesOf(here)} />
            {joins && (
              <Button leftSection={<IconUsers size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/$schema/label" params={{ project, schema: slug }} search={{ item: Number(id) }} {...props} />}>
                Join
              </Button>
            )}
            {can('label.annotate') && item.data?.mine && (
            <Button variant="default" leftSection={<IconPencil size={16} aria-hidden />} renderRoot={(props) => <Link to="/p/$project/labels/$schema/label" params={{ project, schema: slug }} search={{ item: Number(id) }} {...props} />}>
              Change yours
            </Button>
            )}
          </>
        }
        loading={item.isPending}
      />
      <ErrorNotice error={schema.error ?? wordings.error ?? item.error ?? said.error ?? error} onRetry={() => void refresh()} />
      {said.data?.length === 0 && (
        <Text c="dimmed" size="sm" mb="md">
          There is nothing to see yet: nobody has labelled this, or the schema is blind and the item is not complete.
        </Text>
      )}
      {said.data && said.data.length > 0 && config && (
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} mb="md">
          {said.data.map((one) => (
            <div key={one.id} className={classes.said} data-shown={one.id === annotation?.id}>
              <Stack gap={6}>
                <Group justify="space-between" wrap="nowrap">
                  <Text fw={600} size="sm" truncate>
                    {one.how === 'model' ? 'A model' : one.how ? `Fused by ${one.how}` : one.authors.map((each) => each.name || each.email).join(', ') || one.author_name || 'Somebody'}
                  </Text>
                  <Badge color={one.status === 'accepted' ? 'green' : one.status === 'rejected' ? 'red' : 'gray'}>{one.id === item.data?.truth ? 'ground truth' : one.how ? 'proposed' : one.status}</Badge>
                </Group>
                {inWords(config, resultOf(one.result)).map(({ control, words }) => (
                  <Text size="sm" key={control}>
                    <Text span c="dimmed" size="xs">
                      {control}:{' '}
                    </Text>
                    {words}
                  </Text>
                ))}
                <Text size="xs" c="dimmed">
                  {ago(one.updated_at)} · {one.how ? `${one.how === 'model' ? 'score' : 'support'} ${Math.round(100 * (one.support ?? 0))} %` : `${Math.round(one.seconds)} s`}
                </Text>
                <Group gap="xs">
                  <Button size="compact-xs" variant="light" aria-pressed={one.id === annotation?.id} onClick={() => setShown(one.id)}>
                    Show
                  </Button>
                  {can('label.review') && one.id !== item.data?.truth && (
                    <Button size="compact-xs" variant="default" loading={busy === one.id} leftSection={<IconGavel size={14} aria-hidden />} onClick={() => void choose(one)}>
                      This is right
                    </Button>
                  )}
                </Group>
              </Stack>
            </div>
          ))}
        </SimpleGrid>
      )}
      {item.data && config && <Shown key={annotation?.id ?? 'none'} config={config} item={item.data} annotation={annotation} />}
    </>
  )
}

function Shown({ config, item, annotation }: { config: LabelConfig; item: Work; annotation: Annotation | undefined }) {
  const editor = useEditor({ key: annotation?.id ?? 'none', config, item, result: resultOf(annotation?.result ?? []), readOnly: true })
  return (
    <div className={classes.viewer}>
      <Editor editor={editor} />
    </div>
  )
}
