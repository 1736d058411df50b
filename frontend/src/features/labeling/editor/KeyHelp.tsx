/** Every key of the editor, read from the commands and the schema, so that it cannot be out of date. */
import { Group, Modal, Stack, Text, Title } from '@mantine/core'
import { ACTIONS } from './actions'
import { controlOf, hasPicture, shapeKind, type ObjectTag } from './config'
import classes from './Editor.module.css'
import { useStore, useStoreState } from './hooks'
import { KeyCap } from './panel/KeyCap'

const GROUPS = ['Play', 'Draw', 'Regions', 'Edit', 'View'] as const
const MASKS = /^annotation\.(mask|brush)-/
const POINTS = /^annotation\.skeleton-/
/** Only where they do something. */
const OWN = /^annotation\.(prefer|rank|page)-/
/** Commands of a kind of object, whether or not they can be used at this moment. */
const TIMED: Partial<Record<ObjectTag, RegExp>> = { Audio: /^annotation\.(play|audio)-/, Video: /^annotation\.(play|video)-/ }
const ARROWS = /^annotation\.(move|size)(-far)?-/

const IMAGE_KEYS: readonly (readonly [string, string])[] = [
  ['Move by 1 pixel, with Shift by 10', 'arrows'],
  ['Size by 1 pixel, with Shift by 10', 'alt+arrows'],
  ['Move the view', 'Space+drag'],
  ['Select while a label is chosen', 'ctrl+click'],
  ['Choose a label without naming the selection', 'shift+its key'],
  ['Take a point of a polygon or line away', 'alt+click'],
]
const MASK_KEYS: readonly (readonly [string, string])[] = [
  ['Erase with the brush, take out with the wand', 'alt+drag'],
  ['How much the wand takes', 'drag'],
  ['Begin another mask with the same label', 'Escape'],
]
const TEXT_KEYS: readonly (readonly [string, string])[] = [
  ['Mark by characters, with Ctrl by words', 'shift+arrows'],
  ['Move the end of the selected part', 'alt+ArrowLeft'],
  ['Move its start', 'alt+shift+ArrowLeft'],
]

const RANKING_KEYS: readonly (readonly [string, string])[] = [
  ['Walk through the entries', 'arrows'],
  ['Move an entry up or down, or to another bucket', 'alt+arrows'],
  ['Move an entry to the top or the end', 'alt+Home'],
  ['The order is right as it is', 'Enter'],
]

export function KeyHelp() {
  const editor = useStore()
  const opened = useStoreState((state) => state.help)
  const paints = editor.config.controls.some((control) => shapeKind(control.type) === 'brush')
  const joins = editor.config.controls.some((control) => control.skeleton.length > 0)
  const actions = ACTIONS.filter((action) => !ARROWS.test(action.id) && (paints || !MASKS.test(action.id)) && (joins || !POINTS.test(action.id)) && (!OWN.test(action.id) || action.available(editor)) && (action.group !== 'Play' || action.available(editor) || editor.config.objects.some((object) => TIMED[object.tag]?.test(action.id))))
  const ranks = editor.config.controls.some((control) => control.type === 'ranker')
  const tags = new Set(editor.config.objects.map((object) => object.tag))
  const more = [...(hasPicture(editor.config) ? IMAGE_KEYS : []), ...(paints ? MASK_KEYS : []), ...(tags.has('Text') && editor.config.controls.some((control) => control.type === 'labels') ? TEXT_KEYS : []), ...(ranks ? RANKING_KEYS : [])]
  return (
    <Modal opened={opened} onClose={() => editor.set({ help: false })} title={<Text fw={620}>Keys of the editor</Text>} size="xl">
      <div className={classes.help}>
        <Part title="Labels and answers" rows={editor.keys.map((bound) => [bound.value ? nameOf(controlOf(editor.config, bound.control)?.type ?? '', bound.value) : `${controlOf(editor.config, bound.control)?.type === 'ranker' ? 'Go to' : 'Write in'} “${bound.control}”`, bound.key] as const)} />
        <Part title="With the mouse and the arrows" rows={more} />
        {GROUPS.map((group) => (
          <Part key={group} title={group} rows={actions.filter((action) => action.group === group && (action.id !== 'annotation.confirm' || editor.regions.length > 0)).map((action) => [action.label, action.keys[0] ?? ''] as const)} />
        ))}
      </div>
    </Modal>
  )
}

function nameOf(type: string, value: string): string {
  if (type === 'pairwise') return value === 'left' ? 'The first is better' : 'The second is better'
  return type === 'rating' ? `${value} ${value === '1' ? 'star' : 'stars'}` : value
}

function Part({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }) {
  if (rows.length === 0) return null
  return (
    <Stack gap={6} className={classes.helpPart}>
      <Title order={3} size="h4">
        {title}
      </Title>
      {rows.map(([what, keys]) => (
        <Group key={`${what} ${keys}`} justify="space-between" wrap="nowrap" gap="md">
          <Text size="sm">{what}</Text>
          <KeyCap keys={keys} />
        </Group>
      ))}
    </Stack>
  )
}
