/** What lies nearest to an item, or to words: with its labels, filters, and what can be done with it. */
import { Anchor, Group, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useProjectSlug } from '@/api/me'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { configOf, wordingsQuery, type LabelSchema } from '../data'
import { nearQuery, pictureOf, questionOf, type Like, type NearState, type Space } from './data'
import { Selection } from './Selection'
import { Tiles } from './Tiles'
import classes from './explore.module.css'

const STATES = [
  { value: '', label: 'All' },
  { value: 'unlabelled', label: 'Not labelled' },
  { value: 'labelled', label: 'Labelled' },
  { value: 'mine', label: 'Labelled by me' },
]

export function Near({ dataset, space, schema, like, onLike, pictures }: { dataset: string; space: Space; schema?: LabelSchema; like: Like | null; onLike: (like: Like) => void; pictures: boolean }) {
  const project = useProjectSlug()
  const [text, setText] = useState('')
  const [words] = useDebouncedValue(text.trim(), 500)
  const [state, setState] = useState('')
  const [label, setLabel] = useState<string | null>(null)
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const wordings = useQuery({ ...wordingsQuery(project, schema?.slug ?? ''), enabled: !!schema })
  const question = wordings.data?.[0] && questionOf(configOf(wordings.data[0].config))
  const sought = words ? { text: words } : like
  const query = useQuery({ ...nearQuery(project, { dataset, id: space.id, version: space.version }, sought, schema?.slug, (state || undefined) as NearState | undefined, label ?? undefined), placeholderData: keepPreviousData })
  const items = query.data ?? []
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-end">
        <TextInput
          label="Find by words"
          leftSection={<IconSearch size={16} aria-hidden />}
          placeholder={space.takes_text ? 'What should it show or say?' : 'Not in this space'}
          disabled={!space.takes_text}
          description={space.takes_text ? undefined : space.why_no_text}
          inputWrapperOrder={['label', 'input', 'description']}
          value={text}
          maxLength={200}
          onChange={(event) => setText(event.currentTarget.value)}
          w={{ base: '100%', xs: 320 }}
        />
        {schema && (
          <>
            <Select label="Show" data={STATES} value={state} allowDeselect={false} onChange={(value) => setState(value ?? '')} w={150} />
            {question && <Select label="Label" placeholder="Any" data={question.labels.map((one) => one.value)} value={label} onChange={setLabel} clearable searchable w={150} />}
          </>
        )}
      </Group>
      {like && !words && (
        <Group gap="sm">
          {pictures && 'like' in like && (
            <div className={classes.cluster}>
              <img src={pictureOf(project, dataset, space.id, like.like)} alt="The item to which others are compared" />
            </div>
          )}
          <Text size="sm">Most alike first. Press Enter on an item to look from there; space chooses it.</Text>
        </Group>
      )}
      <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
      {!sought && <Text size="sm">{space.takes_text ? 'Write what you look for, or choose' : 'Choose'} an item on the map or in the data set and press “Find similar”.</Text>}
      {query.isLoading && <Skeleton h={240} />}
      {query.data && !query.error && items.length === 0 && (
        <Text size="sm" c="dimmed">
          No item is like that. <Anchor component="button" type="button" size="sm" onClick={() => { setState(''); setLabel(null) }}>Show all</Anchor>
        </Text>
      )}
      {!query.error && items.length > 0 && (
        <>
          {schema && <Selection schema={schema} chosen={items.filter((one) => chosen.has(one.id))} onDone={() => setChosen(new Set())} onAll={() => setChosen(new Set(items.map((one) => one.id)))} all={items.length} />}
          <Tiles
            label="Similar items"
            dataset={dataset}
            space={space.id}
            pictures={pictures}
            items={items}
            chosen={chosen}
            onChoose={setChosen}
            onOpen={(item) => {
              setText('')
              setChosen(new Set())
              onLike({ like: item.digest })
            }}
          />
        </>
      )}
    </Stack>
  )
}
