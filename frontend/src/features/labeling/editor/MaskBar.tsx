/** How wide the brush is or how much the wand takes for one colour, beside the tools while masks are painted. */
import { Group, Slider, Text } from '@mantine/core'

import { shapeKind } from './config'
import classes from './Editor.module.css'
import { useStore, useStoreState } from './hooks'

/** A slider of sizes feels even when each step multiplies. */
const STEPS = 100
const WIDEST = 1000

export function MaskBar() {
  const editor = useStore()
  const masks = useStoreState((state) => state.masks)
  const paints = useStoreState((state) => state.brush !== null && shapeKind(editor.drawer?.type ?? '') === 'brush')
  if (!paints) return null
  const wand = masks.tool === 'wand'
  return (
    <Group gap={8} wrap="nowrap" className={classes.masks}>
      <Text size="xs" c="dimmed">
        {wand ? 'Tolerance' : 'Size'}
      </Text>
      {wand ? (
        <Slider w={110} min={0} max={128} value={masks.tolerance} onChange={(tolerance) => editor.set({ masks: { ...masks, tolerance } })} label={null} thumbLabel="Tolerance" size="sm" />
      ) : (
        <Slider
          w={110}
          min={0}
          max={STEPS}
          value={(Math.log(Math.max(1, masks.size)) / Math.log(WIDEST)) * STEPS}
          onChange={(step) => editor.sizeBrush(Math.round(WIDEST ** (step / STEPS)))}
          label={null}
          thumbLabel="Size of the brush"
          size="sm"
        />
      )}
      <Text size="xs" className={classes.amount}>
        {wand ? masks.tolerance : `${masks.size} px`}
      </Text>
    </Group>
  )
}
