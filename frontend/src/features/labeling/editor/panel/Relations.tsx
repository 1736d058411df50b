/** Relations between regions: which way they point can be turned, and they can be deleted. Made with `r`. */
import { ActionIcon, Text, Tooltip } from '@mantine/core'
import { IconArrowNarrowLeft, IconArrowNarrowRight, IconArrowsHorizontal, IconTrash } from '@tabler/icons-react'
import { useMemo } from 'react'

import { useRegions, useStore, useStoreState } from '../hooks'
import { relationsOf, titleOf } from '../result'
import classes from './panel.module.css'

const ICONS = { right: IconArrowNarrowRight, left: IconArrowNarrowLeft, bi: IconArrowsHorizontal }
const WORDS = { right: 'to the second', left: 'to the first', bi: 'both ways' }

export function Relations() {
  const editor = useStore()
  const regions = useRegions()
  const result = useStoreState((state) => state.result)
  const readOnly = useStoreState((state) => state.readOnly)
  const relations = useMemo(() => relationsOf(result), [result])
  const places = useMemo(() => new Map(regions.map((region, index) => [region.id, { region, number: index + 1 }])), [regions])
  if (relations.length === 0) return null
  const name = (id: string) => {
    const found = places.get(id)
    return found ? `${titleOf(found.region)} ${found.number}` : 'a region that is gone'
  }
  return (
    <section className={classes.section} aria-label="Relations">
      <Text size="sm" fw={620} mb={4}>
        Relations{' '}
        <Text span c="dimmed" size="sm">
          {relations.length}
        </Text>
      </Text>
      <ul className={classes.relations}>
        {relations.map((relation) => {
          const Icon = ICONS[relation.direction]
          const words = `${name(relation.from_id)} and ${name(relation.to_id)}`
          return (
            <li key={`${relation.from_id} ${relation.to_id}`}>
              <button type="button" className={classes.relationEnd} onClick={() => editor.select([relation.from_id], { reveal: true })}>
                {name(relation.from_id)}
              </button>
              <Tooltip label={`It points ${WORDS[relation.direction]}. Press to turn it.`}>
                <ActionIcon size="sm" disabled={readOnly} aria-label={`Turn the relation of ${words}; it points ${WORDS[relation.direction]}`} onClick={() => editor.turnRelation(relation)}>
                  <Icon size={16} />
                </ActionIcon>
              </Tooltip>
              <button type="button" className={classes.relationEnd} onClick={() => editor.select([relation.to_id], { reveal: true })}>
                {name(relation.to_id)}
              </button>
              {!readOnly && (
                <ActionIcon size="sm" ml="auto" aria-label={`Delete the relation of ${words}`} onClick={() => editor.removeRelation(relation)}>
                  <IconTrash size={15} />
                </ActionIcon>
              )}
            </li>
          )
        })}
      </ul>
    </section>
  )
}
