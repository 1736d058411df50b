/** The bar above the object: tools, undo, zoom, how it looks. Every button is a command and says its key. */
import { ActionIcon, Group, Popover, Slider, Stack, Switch, Text, Tooltip, Button } from '@mantine/core'
import { IconAdjustments } from '@tabler/icons-react'
import { memo, type ReactNode } from 'react'

import type { Action } from './actions'
import { drawTools, selectTool } from './actions/draw'
import { redo, remove, undo } from './actions/edit'
import { maskTools } from './actions/masks'
import { relate } from './actions/regions'
import { fit, help, panel, zoomIn, zoomOut } from './actions/view'
import { hasPicture, shapeKind } from './config'
import classes from './Editor.module.css'
import { MaskBar } from './MaskBar'
import { useRegions, useStore, useStoreState } from './hooks'
import { ariaKeys, KeyCap, spoken } from './panel/KeyCap'

export function Toolbar({ start, end, narrow }: { start?: ReactNode; end?: ReactNode; narrow: boolean }) {
  const editor = useStore()
  const brush = useStoreState((state) => state.brush)
  const readOnly = useStoreState((state) => state.readOnly)
  const canUndo = useStoreState((state) => state.canUndo)
  const canRedo = useStoreState((state) => state.canRedo)
  const chosen = useStoreState((state) => state.selected.size)
  const many = useRegions().length > 1
  const relating = useStoreState((state) => state.relating)
  const hasImage = hasPicture(editor.config)
  const tools = drawTools.filter((tool) => editor.config.controls.some((control) => shapeKind(control.type) === tool.kind))
  const painters = maskTools.filter((tool) => tool.available(editor))
  const masks = useStoreState((state) => state.masks.tool)
  const drawer = brush ? editor.drawer : undefined
  const kind = drawer ? shapeKind(drawer.type) : null
  return (
    <div className={classes.bar} role="toolbar" aria-label="Tools">
      {start}
      {!readOnly && tools.length + painters.length > 0 && (
        <Group gap={2} wrap="nowrap">
          <Tool action={selectTool} on={brush === null} capped={!narrow} />
          {tools.map((tool) => (
            <Tool key={tool.id} action={tool} on={kind === tool.kind} capped={!narrow} />
          ))}
          {painters.map((tool) => (
            <Tool key={tool.id} action={tool} on={kind === 'brush' && masks === tool.tool} capped={!narrow} />
          ))}
        </Group>
      )}
      <MaskBar />
      {!readOnly && (
        <Group gap={2} wrap="nowrap" className={classes.group}>
          <Tool action={undo} disabled={!canUndo} />
          <Tool action={redo} disabled={!canRedo} />
          <Tool action={remove} disabled={chosen === 0} />
          {many && <Tool action={relate} on={relating !== null} disabled={chosen !== 1} />}
        </Group>
      )}
      {hasImage && (
        <Group gap={2} wrap="nowrap" className={classes.group}>
          {!narrow && <Tool action={zoomOut} />}
          {!narrow && <Tool action={zoomIn} />}
          <Tool action={fit} />
          <Light />
        </Group>
      )}
      <Group gap={2} wrap="nowrap" ml="auto">
        {!narrow && <Tool action={help} />}
        <Tool action={panel} />
        {end}
      </Group>
    </div>
  )
}

const Tool = memo(function Tool({ action, on, capped = false, disabled = false }: { action: Action; on?: boolean; capped?: boolean; disabled?: boolean }) {
  const editor = useStore()
  const keys = action.keys[0] ?? ''
  const Icon = action.icon
  return (
    <Tooltip
      label={
        <Group gap={6}>
          {action.label} <KeyCap keys={keys} />
        </Group>
      }
    >
      <ActionIcon
        className={classes.tool}
        aria-label={action.label}
        aria-keyshortcuts={ariaKeys(keys)}
        aria-pressed={on}
        data-on={on || undefined}
        disabled={disabled}
        onMouseDown={(event) => event.preventDefault()}
        onClick={() => action.run(editor)}
      >
        <Icon size={18} />
        {capped && <span className={classes.cap}>{spoken(keys)}</span>}
      </ActionIcon>
    </Tooltip>
  )
})

function Light() {
  const editor = useStore()
  const looks = useStoreState((state) => state.looks)
  const masks = editor.config.controls.some((control) => shapeKind(control.type) === 'brush')
  const changed = looks.brightness !== 100 || looks.contrast !== 100 || looks.masks !== 100
  return (
    <Popover position="bottom-start" shadow="md" withinPortal trapFocus>
      <Popover.Target>
        <Tooltip label="Brightness, contrast, labels">
          <ActionIcon className={classes.tool} aria-label="Brightness, contrast, labels" data-on={changed || undefined}>
            <IconAdjustments size={18} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown w={260}>
        <Stack gap="sm">
          {(['brightness', 'contrast'] as const).map((which) => (
            <div key={which}>
              <Group justify="space-between">
                <Text size="sm">{which === 'brightness' ? 'Brightness' : 'Contrast'}</Text>
                <Text size="sm" c="dimmed">
                  {looks[which]} %
                </Text>
              </Group>
              <Slider min={20} max={300} step={5} value={looks[which]} onChange={(value) => editor.look({ [which]: value })} label={null} thumbLabel={which === 'brightness' ? 'Brightness' : 'Contrast'} />
            </div>
          ))}
          {masks && (
            <div>
              <Group justify="space-between">
                <Text size="sm">Opacity of masks</Text>
                <Text size="sm" c="dimmed">
                  {looks.masks} %
                </Text>
              </Group>
              <Slider min={10} max={170} step={5} value={looks.masks} onChange={(value) => editor.look({ masks: value })} label={null} thumbLabel="Opacity of masks" />
            </div>
          )}
          <Switch size="sm" label="Labels beside shapes" checked={looks.texts} onChange={(event) => editor.look({ texts: event.currentTarget.checked })} />
          <Button size="xs" variant="default" disabled={!changed} onClick={() => editor.look({ brightness: 100, contrast: 100, masks: 100 })}>
            As the image is
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
