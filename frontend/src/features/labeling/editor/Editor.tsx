/**
 * The annotation editor: what is looked at, what is said about it, by mouse, pen, finger or keys alone. It knows nothing of
 * the studio: the page gives the schema, the item and a result, and is told of each change.
 */
import { Loader, Title } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { lazy, Suspense, useEffect, useRef, type ReactNode } from 'react'

import { useCommands } from '@/ui/commands'

import { ACTIONS, press, runAction } from './actions'
import { makesRegions, namesRegions, objectOf, type LabelConfig, type LabelObject, type LayoutNode } from './config'
import classes from './Editor.module.css'
import { EditorContext, useEditorState, useStore, useStoreState } from './hooks'
import { KeyHelp } from './KeyHelp'
import { isSecond, pairOf } from './pairs/pairs'
import { PairView } from './pairs/PairView'
import { ItemControls, RegionControls } from './panel/Controls'
import { Palettes } from './panel/Palette'
import { RegionList } from './panel/RegionList'
import { Relations } from './panel/Relations'
import type { EditorStore } from './store'
import { RankingView } from './ranking/RankingView'
import { TableView } from './table/TableView'
import { ReadingText, reads } from './text/ReadingText'
import { TextView } from './text/TextView'
import { Toolbar } from './Toolbar'

// Konva comes only where there is an image; what plays, only where something does.
const ImageCanvas = lazy(() => import('./image/ImageCanvas').then((module) => ({ default: module.ImageCanvas })))
const AudioView = lazy(() => import('./audio/AudioView').then((module) => ({ default: module.AudioView })))
const VideoView = lazy(() => import('./video/VideoView').then((module) => ({ default: module.VideoView })))

// pdf.js comes only where there is a document.
const DocumentView = lazy(() => import('./document/DocumentView').then((module) => ({ default: module.DocumentView })))

/** How long after `g` a letter is still the shell's (“g d” goes to the data sets). */
const SHELL_MS = 900

export interface EditorProps {
  editor: EditorStore
  /** Before the tools and after them: the page's own (back, submit, next). */
  toolbarStart?: ReactNode
  toolbarEnd?: ReactNode
  /** At the head of the side panel. */
  panelStart?: ReactNode
}

export function Editor({ editor, toolbarStart, toolbarEnd, panelStart }: EditorProps) {
  const narrow = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false })
  const panel = useEditorState(editor, (state) => state.looks.panel)
  const letters = useRef(0)

  useEffect(() => {
    // In the capture phase: before the shell, whose own keys begin where these end.
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return
      const shells = Date.now() - letters.current < SHELL_MS
      letters.current = event.key === 'g' && !event.ctrlKey && !event.metaKey && !event.altKey ? Date.now() : 0
      if (shells || !press(event, editor)) return
      event.preventDefault()
      event.stopPropagation()
    }
    window.addEventListener('keydown', down, true)
    return () => window.removeEventListener('keydown', down, true)
  }, [editor])

  useCommands(
    () =>
      ACTIONS.filter((action) => !action.quiet && (!('kind' in action || 'tool' in action) || action.available(editor))).map((action) => ({
        id: action.id,
        label: action.label,
        group: 'Annotation',
        icon: action.icon,
        shortcut: action.keys[0]?.replace('ctrl', 'mod'),
        boundByPage: true,
        run: () => void runAction(editor, action.id),
      })),
    [editor],
  )

  const nodes = editor.config.layout.length > 0 ? editor.config.layout : editor.config.objects.map((object): LayoutNode => ({ kind: 'object', name: object.name }))
  return (
    <EditorContext.Provider value={editor}>
      <div className={classes.editor} data-narrow={narrow || undefined}>
        <Toolbar start={toolbarStart} end={toolbarEnd} narrow={narrow ?? false} />
        <div className={classes.body}>
          <div className={classes.objects}>
            <Palettes />
            <Objects nodes={nodes} />
          </div>
          {panel && (
            <aside className={classes.panel} aria-label="Answers and regions">
              {panelStart}
              <RegionControls />
              <ItemControls />
              <Panels />
            </aside>
          )}
        </div>
        <Said />
        <KeyHelp />
      </div>
    </EditorContext.Provider>
  )
}

/** What screen readers say when something was selected or changed. By itself: it changes with everything. */
function Said() {
  const said = useStoreState((state) => state.said)
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {said}
    </div>
  )
}

function Panels() {
  const editor = useStore()
  const any = useStoreState((state) => state.result.length > 0 || state.suggestions.length > 0)
  const draws = editor.config.controls.some((control) => makesRegions(editor.config, control) || namesRegions(editor.config, control))
  if (!draws && !(any && editor.regions.length > 0)) return null
  return (
    <>
      <RegionList />
      <Relations />
    </>
  )
}

/** Objects with the headings before them, side by side or one below the other as the schema says. Controls have their own places. */
function Objects({ nodes, direction = 'column' }: { nodes: readonly LayoutNode[]; direction?: 'row' | 'column' }) {
  const editor = useStore()
  const shown = nodes.filter((node, index) => holds(editor.config, node) || (node.kind === 'header' && nodes.slice(index + 1).find((other) => other.kind !== 'header')?.kind === 'object'))
  return (
    <div className={classes.view} data-direction={direction}>
      {shown.map((node, index) => {
        if (node.kind === 'header') return <Title key={index} order={2} size="h4" className={classes.heading}>{node.text}</Title>
        if (node.kind === 'view') return <Objects key={index} nodes={node.children} direction={node.direction} />
        const object = objectOf(editor.config, node.name)
        return object ? <ObjectView key={node.name} object={object} /> : null
      })}
    </div>
  )
}

/** The second of a pair is shown beside the first. */
function holds(config: LabelConfig, node: LayoutNode): boolean {
  return (node.kind === 'object' && !isSecond(config, node.name)) || (node.kind === 'view' && node.children.some((child) => holds(config, child)))
}

type View = (props: { object: LabelObject }) => ReactNode

/** How each kind of object is shown. Those that come later are waited for where they stand. */
const VIEWS: Record<LabelObject['tag'], View> = {
  Image: (props) => <ImageCanvas {...props} />,
  Text: SomeText,
  Audio: (props) => <AudioView {...props} />,
  Video: (props) => <VideoView {...props} />,
  List: RankingView,
  Table: TableView,
  Pdf: ({ object }) => (
    <Suspense fallback={<Loader m="auto" aria-label="The editor is loading" />}>
      <DocumentView object={object} />
    </Suspense>
  ),
}

function SomeText({ object }: { object: LabelObject }) {
  const editor = useStore()
  return reads(editor.config, object) ? <ReadingText object={object} /> : <TextView object={object} />
}

function ObjectView({ object }: { object: LabelObject }) {
  const editor = useStore()
  const pair = pairOf(editor.config, object.name)
  const Shown = VIEWS[object.tag]
  return <Suspense fallback={<Loader m="auto" aria-label="The editor is loading" />}>{pair ? <PairView pair={pair} views={VIEWS} /> : <Shown object={object} />}</Suspense>
}
