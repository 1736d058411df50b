/** The three pickers of the canvas: add a step, connect a step, find a step. */
import { Group, Text } from '@mantine/core'
import { IconArrowNarrowRight } from '@tabler/icons-react'
import { useMemo } from 'react'

import { componentOf, kindOf, searchComponents } from '../graph/catalog'
import { fittingComponents, fittingPorts, insertableComponents, recommend, type Fit } from '../graph/connect'
import { topological } from '../graph/order'
import { edgesOf, type Component } from '../graph/types'
import { KindDots, StageTile } from './ComponentRow'
import type { Dialog } from './editor'
import { useEditor, useEditorState, useGraph } from './hooks'
import { KindMark } from './KindMark'
import classes from './palette.module.css'
import { Picker, type PickerItem } from './Picker'

export type Counts = Map<string, Map<string, number>>

export function Pickers({ counts }: { counts: Counts }) {
  const dialog = useEditorState((state) => state.dialog)
  return (
    <>
      <AddPicker dialog={dialog?.name === 'add' ? dialog : null} counts={counts} />
      <ConnectPicker step={dialog?.name === 'connect' ? dialog.step : null} />
      <FindPicker opened={dialog?.name === 'find'} />
    </>
  )
}

/** After a pick the canvas has the focus again, so that the next key goes on from the new step. */
function back() {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-canvas]')?.focus())
}

function AddPicker({ dialog, counts }: { dialog: Extract<Dialog, { name: 'add' }> | null; counts: Counts }) {
  const editor = useEditor()
  const catalog = useEditorState((state) => state.catalog)
  const close = () => {
    editor.open(null)
    back()
  }
  const { title, components, recommended } = useMemo(() => {
    const graph = editor.graph
    const all = searchComponents(catalog, '')
    if (dialog?.edge) {
      const from = graph.steps[dialog.edge.source]
      const kind = editor.kindAt({ step: dialog.edge.source, port: dialog.edge.output, side: 'output' })
      const fitting = recommend(catalog, insertableComponents(catalog, kind), componentOf(catalog, from), counts)
      return { title: `Insert a step between “${editor.title(dialog.edge.source)}” and “${editor.title(dialog.edge.target)}”`, components: fitting, recommended: 0 }
    }
    if (dialog?.end) {
      const kind = editor.kindAt(dialog.end)
      const from = dialog.end.side === 'output' ? componentOf(catalog, graph.steps[dialog.end.step]) : undefined
      const fitting = recommend(catalog, fittingComponents(catalog, kind, dialog.end.side), from, counts)
      const known = from ? fitting.filter((component) => (counts.get(from.name)?.get(component.name) ?? 0) > 0).length : 0
      const where = dialog.end.side === 'output' ? 'after' : 'before'
      return { title: `Add a step ${where} “${editor.title(dialog.end.step)}” (${kindOf(catalog, kind).title})`, components: fitting, recommended: Math.min(known, 5) }
    }
    return { title: 'Add a step', components: all, recommended: 0 }
  }, [catalog, dialog, editor, counts])
  const items = useMemo<PickerItem[]>(() => {
    const stages = new Map(catalog.stages.map((stage) => [stage.name, stage.title]))
    return components.map((component: Component, index) => ({
      id: component.name,
      title: component.title,
      detail: component.summary,
      search: `${component.name} ${component.help.slice(0, 400)}`,
      group: index < recommended ? 'Recommended' : (stages.get(component.stage) ?? component.stage),
      icon: <StageTile stage={component.stage} />,
      side: <KindDots catalog={catalog} component={component} />,
    }))
  }, [catalog, components, recommended])
  return (
    <Picker
      opened={dialog !== null}
      title={title}
      placeholder="Search components"
      empty="No component fits here. Try other words."
      items={items}
      onClose={close}
      onPick={(name) => {
        const component = catalog.components.get(name)
        const how = dialog ?? {}
        editor.open(null)
        if (component) editor.add(component, how)
        back()
      }}
    />
  )
}

function ConnectPicker({ step }: { step: string | null }) {
  const editor = useEditor()
  const catalog = useEditorState((state) => state.catalog)
  const graph = useGraph()
  const fits = useMemo(() => {
    const component = step ? componentOf(catalog, graph.steps[step]) : undefined
    const found: { id: string; fit: Fit; outgoing: boolean; own: string }[] = []
    for (const output of component?.outputs ?? []) {
      for (const fit of fittingPorts(graph, catalog, { step: step as string, port: output.name, side: 'output' })) found.push({ id: `>${fit.edge.output}>${fit.step}.${fit.port.name}`, fit, outgoing: true, own: output.title })
    }
    for (const input of component?.inputs ?? []) {
      for (const fit of fittingPorts(graph, catalog, { step: step as string, port: input.name, side: 'input' })) found.push({ id: `<${fit.edge.port}<${fit.step}.${fit.port.name}`, fit, outgoing: false, own: input.title })
    }
    // What nobody reads yet is likelier wanted than what is read already, and so are ports of the same name.
    const readers = new Map<string, number>()
    for (const edge of edgesOf(graph)) readers.set(`${edge.source}.${edge.output}`, (readers.get(`${edge.source}.${edge.output}`) ?? 0) + 1)
    const weight = ({ fit, outgoing }: (typeof found)[number]) =>
      (fit.free ? 0 : 100) + (outgoing ? 0 : (readers.get(`${fit.edge.source}.${fit.edge.output}`) ?? 0) * 10) - (fit.edge.output === fit.edge.port ? 1 : 0)
    return found.sort((a, b) => Number(b.outgoing) - Number(a.outgoing) || weight(a) - weight(b))
  }, [step, graph, catalog])
  const items = useMemo<PickerItem[]>(
    () =>
      fits.map(({ id, fit, outgoing, own }) => {
        const kind = kindOf(catalog, fit.port.kind)
        const other = componentOf(catalog, graph.steps[fit.step])
        const there = `${fit.port.title} of “${editor.title(fit.step)}”`
        return {
          id,
          title: outgoing ? `${own} → ${there}` : `${there} → ${own}`,
          detail: fit.free ? `${kind.title} · ${other?.title ?? ''}` : `${kind.title} · takes the place of the wire that is there`,
          group: outgoing ? 'To' : 'From',
          search: fit.step,
          icon: <KindMark color={kind.color} shape={kind.shape} size={18} />,
        }
      }),
    [fits, catalog, graph, editor],
  )
  const close = () => {
    editor.open(null)
    back()
  }
  return (
    <Picker
      opened={step !== null}
      title={step ? `Connect “${editor.title(step)}”` : ''}
      placeholder="Search steps and ports"
      empty="No port of the pipeline fits this step. Press / to add a step."
      items={items}
      onClose={close}
      onPick={(id) => {
        const found = fits.find((candidate) => candidate.id === id)
        editor.open(null)
        if (found) editor.connect(found.fit.edge)
        back()
      }}
      hint={
        <Group gap={4} className={classes.pickerHint}>
          <IconArrowNarrowRight size={14} aria-hidden />
          <Text size="xs" c="dimmed">
            Only ports that fit are listed, free ones first.
          </Text>
        </Group>
      }
    />
  )
}

function FindPicker({ opened }: { opened: boolean }) {
  const editor = useEditor()
  const catalog = useEditorState((state) => state.catalog)
  const graph = useGraph()
  const items = useMemo<PickerItem[]>(
    () =>
      opened
        ? topological(graph).map((key) => {
            const component = componentOf(catalog, graph.steps[key])
            return { id: key, title: editor.title(key), detail: `${component?.title ?? graph.steps[key]?.component ?? ''} · ${key}`, search: graph.steps[key]?.note, icon: <StageTile stage={component?.stage ?? ''} /> }
          })
        : [],
    [opened, graph, catalog, editor],
  )
  return (
    <Picker
      opened={opened}
      title="Find a step"
      placeholder="Search the steps of this pipeline"
      empty="No step of that name."
      items={items}
      onClose={() => {
        editor.open(null)
        back()
      }}
      onPick={(key) => {
        editor.open(null)
        editor.goTo(key, { centre: true })
        back()
      }}
    />
  )
}
