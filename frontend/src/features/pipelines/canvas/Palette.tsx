/** The components to build with: searched, grouped by stage, those that fit the selected step first. */
import { Accordion, ScrollArea, Text, TextInput, Tooltip } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useMemo, useRef, useState, type KeyboardEvent } from 'react'

import { componentOf, searchComponents } from '../graph/catalog'
import { fittingComponents, recommend } from '../graph/connect'
import type { Component } from '../graph/types'
import { DRAG_TYPE } from './Canvas'
import { KindDots, StageTile } from './ComponentRow'
import { useCurrent, useEditor, useEditorState, useStep } from './hooks'
import classes from './panels.module.css'
import palette from './palette.module.css'
import type { Counts } from './Pickers'

const RECOMMENDED = 5

export function Palette({ counts, onAdded }: { counts: Counts; onAdded?: () => void }) {
  const editor = useEditor()
  const catalog = useEditorState((state) => state.catalog)
  const current = useCurrent()
  const step = useStep(current)
  const [text, setText] = useState('')
  const root = useRef<HTMLDivElement>(null)
  const found = useMemo(() => searchComponents(catalog, text), [catalog, text])
  const stages = useMemo(() => catalog.stages.map((stage) => ({ ...stage, components: found.filter((component) => component.stage === stage.name) })).filter((stage) => stage.components.length > 0 || (stage.name === 'code' && !text)), [catalog, found, text])
  const after = componentOf(catalog, step)
  const successors = useMemo(() => {
    if (!after || text) return []
    const fitting = new Set(after.outputs.flatMap((output) => fittingComponents(catalog, output.kind, 'output')))
    return recommend(catalog, [...fitting], after, counts).slice(0, RECOMMENDED)
  }, [after, catalog, counts, text])

  const add = (component: Component) => {
    editor.add(component, { end: editor.naturalEnd(component) })
    onAdded?.()
  }
  const rows = () => [...(root.current?.querySelectorAll<HTMLElement>('[data-component]') ?? [])]
  const walk = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    const list = rows()
    const at = list.indexOf(document.activeElement as HTMLElement)
    const to = list[at + (event.key === 'ArrowDown' ? 1 : -1)]
    if (to) to.focus()
    else if (at === 0) root.current?.querySelector('input')?.focus()
    else return
    event.preventDefault()
  }
  const row = (component: Component, where: string) => (
    <Tooltip key={`${where}${component.name}`} label={component.summary} position="right" multiline maw={280} openDelay={700}>
      <button
        type="button"
        className={palette.component}
        data-component={component.name}
        draggable
        onDragStart={(event) => {
          event.dataTransfer.setData(DRAG_TYPE, component.name)
          event.dataTransfer.effectAllowed = 'copy'
        }}
        onDoubleClick={() => add(component)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== ' ') return
          event.preventDefault()
          add(component)
        }}
        // A tap has neither drag nor double-click.
        onPointerUp={(event) => event.pointerType === 'touch' && add(component)}
        aria-label={`Add ${component.title}`}
      >
        <StageTile stage={component.stage} />
        <span className={palette.componentText}>
          <span className={palette.componentTitle}>{component.title}</span>
          <span className={palette.componentFoot}>
            <span className={palette.componentSummary}>{component.summary}</span>
            <KindDots catalog={catalog} component={component} />
          </span>
        </span>
      </button>
    </Tooltip>
  )

  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- arrow keys move between the buttons inside
    <div ref={root} className={classes.palette} onKeyDown={walk}>
      <div className={classes.panelTop}>
        <TextInput
          aria-label="Search components"
          placeholder="Search components"
          size="sm"
          leftSection={<IconSearch size={15} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            const first = found[0]
            if (event.key === 'Enter' && first) add(first)
            if (event.key === 'Escape' && text) {
              event.stopPropagation()
              setText('')
            }
          }}
        />
      </div>
      <ScrollArea className={classes.scroll} type="auto" scrollbarSize={8}>
        {successors.length > 0 && (
          <section aria-label={`Fits after ${current ? editor.title(current) : ''}`} className={palette.successors}>
            <Text size="xs" fw={620} c="dimmed" px="sm" pt="xs" pb={4} truncate>
              Fits after “{current ? editor.title(current) : ''}”
            </Text>
            {successors.map((component) => row(component, 'next:'))}
          </section>
        )}
        <Accordion multiple variant="default" chevronPosition="left" classNames={{ item: palette.stage, control: palette.stageControl, content: palette.stageContent, label: palette.stageLabel, chevron: palette.stageChevron }} {...(text ? { value: stages.map((stage) => stage.name) } : { defaultValue: catalog.stages.map((stage) => stage.name) })} key={text ? 'search' : `all-${catalog.stages.length}`}>
          {stages.map((stage) => (
            <Accordion.Item key={stage.name} value={stage.name}>
              <Accordion.Control>
                {stage.title} <span className={classes.count}>{stage.components.length}</span>
              </Accordion.Control>
              <Accordion.Panel>
                {stage.name === 'code' && (
                  <button type="button" className={palette.component} onClick={() => editor.open({ name: 'code' })}>
                    <StageTile stage="code" />
                    <span className={palette.componentText}>
                      <span className={palette.componentTitle}>New code step…</span>
                      <span className={palette.componentSummary}>Write one in Python.</span>
                    </span>
                  </button>
                )}
                {stage.components.map((component) => row(component, ''))}
              </Accordion.Panel>
            </Accordion.Item>
          ))}
        </Accordion>
        {found.length === 0 && (
          <Text size="sm" c="dimmed" p="md">
            No component matches “{text}”.
          </Text>
        )}
      </ScrollArea>
      <Text size="xs" c="dimmed" className={palette.panelFoot}>
        Drag one onto the canvas, double-click it, or press Enter.
      </Text>
    </div>
  )
}
