/**
 * A text with its spans. It is an editing host in which nothing can be typed: so the browser gives the caret, Shift+arrows,
 * words by Ctrl, and screen readers read it as text. Labels are drawn before pseudo-elements, never as text of their own.
 */
import { Button, Group, Text } from '@mantine/core'
import { memo, useEffect, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent, type MouseEvent } from 'react'

import { controlOf, drawingControls, type LabelControl, type LabelObject } from '../config'
import { useLatest, useRegions, useStore, useStoreState } from '../hooks'
import { drawnRegions, titleOf, type Drawn } from '../result'
import { blocks, chunks, lanes, segments, snapped, spansAt, stepped, trimmed, type Span } from '../spans'
import type { Brush } from '../state'
import { marked, placeAt, setCaret } from './offsets'
import classes from './TextView.module.css'

interface Mark extends Span {
  readonly color: string
  readonly title: string
  readonly chosen: boolean
  readonly dashed: boolean
  readonly ghost: boolean
  readonly lane: number
}

/** Underlines of deeper lanes would run into the next line. */
const LANES = 4

function styleOf(marks: readonly Mark[]): CSSProperties {
  const top = marks.find((mark) => mark.chosen) ?? marks[0]
  if (!top) return {}
  const lines = marks
    .filter((mark) => mark.lane < LANES)
    .map((mark) => {
      const paint = mark.dashed ? `repeating-linear-gradient(90deg, ${mark.color} 0 5px, transparent 5px 9px)` : `linear-gradient(${mark.color}, ${mark.color})`
      return { paint, place: `0 calc(100% - ${9 - mark.lane * 4}px)`, size: `100% ${mark.chosen ? 3 : 2}px` }
    })
  return {
    backgroundColor: `color-mix(in srgb, ${top.color} ${top.chosen ? 38 : top.dashed ? 8 : 18}%, transparent)`,
    backgroundImage: lines.map((line) => line.paint).join(', '),
    backgroundPosition: lines.map((line) => line.place).join(', '),
    backgroundSize: lines.map((line) => line.size).join(', '),
    backgroundRepeat: 'no-repeat',
  }
}

/** One line of the text. It is drawn again only when a span that touches it changed. */
const Block = memo(
  function Block({ text, start, end, marks }: { text: string; start: number; end: number; marks: readonly Mark[] }) {
    const byId = new Map(marks.map((mark) => [mark.id, mark]))
    const inLane = new Map(marks.map((mark) => [mark.id, mark.lane]))
    return (
      <div className={classes.block} data-block={start}>
        {chunks(text, start, end).flatMap((chunk) =>
          segments(chunk.start, chunk.end, marks, inLane).map((segment) => {
            const covers = segment.covers.flatMap((cover) => byId.get(cover.id) ?? [])
            const names = segment.begins.flatMap((id) => byId.get(id) ?? [])
            const label = names.map((mark) => mark.title).join(' · ')
            return (
              <span
                key={segment.start}
                data-start={segment.start}
                {...(covers.length > 0 ? { 'data-marked': true } : {})}
                {...(label ? { 'data-label': label } : {})}
                style={{ ...styleOf(covers), ...(names[0] ? { '--label': names[0].color } : {}) } as CSSProperties}
              >
                {text.slice(segment.start, segment.end)}
              </span>
            )
          }),
        )}
      </div>
    )
  },
  (before, after) => before.text === after.text && before.start === after.start && before.end === after.end && same(before.marks, after.marks),
)

function same(a: readonly Mark[], b: readonly Mark[]): boolean {
  return a.length === b.length && a.every((mark, index) => Object.entries(mark).every(([key, value]) => b[index]![key as keyof Mark] === value))
}

export function TextView({ object }: { object: LabelObject }) {
  const editor = useStore()
  const text = String(editor.item.data[object.value.replace(/^\$/, '')] ?? '')
  const root = useRef<HTMLDivElement>(null)
  const regions = useRegions()
  const selected = useStoreState((state) => state.selected)
  const hidden = useStoreState((state) => state.hidden)
  const accepted = useStoreState((state) => state.accepted)
  const suggestions = useStoreState((state) => state.suggestions)
  const readOnly = useStoreState((state) => state.readOnly)
  const reveal = useStoreState((state) => state.reveal)
  const [pending, setPending] = useState<{ start: number; end: number } | null>(null)
  const [broken, setBroken] = useState(0)
  const palettes = useMemo(() => drawingControls(editor.config, object.name), [editor.config, object.name])

  const marks = useMemo(() => {
    const mark = (region: Drawn, ghost: boolean): Omit<Mark, 'lane'>[] =>
      region.kind !== 'span' || region.to !== object.name || hidden.has(region.id)
        ? []
        : [
            {
              id: region.id,
              start: Number(region.main.value.start),
              end: Number(region.main.value.end),
              color: region.color,
              title: titleOf(region),
              chosen: selected.has(region.id),
              dashed: ghost || (region.main.origin === 'prediction' && !accepted.has(region.id)),
              ghost,
            },
          ]
    const found = [...drawnRegions(editor.config, suggestions).flatMap((region) => mark(region, true)), ...regions.flatMap((region) => mark(region, false))]
    const inLane = lanes(found)
    return found.map((one): Mark => ({ ...one, lane: inLane.get(one.id) ?? 0 }))
  }, [editor.config, regions, suggestions, selected, hidden, accepted, object.name])

  const lines = useMemo(() => blocks(text), [text])
  /** The marks of each line that has any: a text of thousands of lines is walked once, not once a line. */
  const byLine = useMemo(() => {
    const found = new Map<number, Mark[]>()
    for (const mark of marks) {
      let [low, high] = [0, lines.length - 1]
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if (lines[middle]!.start <= mark.start) low = middle
        else high = middle - 1
      }
      for (let line = low; line < lines.length && lines[line]!.start < mark.end; line++) found.set(line, [...(found.get(line) ?? []), mark])
    }
    return found
  }, [marks, lines])

  const apply = (brush: Brush, span: { start: number; end: number }): boolean => {
    const control = controlOf(editor.config, brush.control)
    if (!control || control.to !== object.name || readOnly) return false
    const id = editor.add(control, { start: span.start, end: span.end, text: text.slice(span.start, span.end) }, brush.label)
    setPending(null)
    if (!id) return false
    if (root.current && root.current.contains(document.activeElement)) {
      // The pieces of text are new ones: the caret goes to the end of what was marked.
      requestAnimationFrame(() => root.current && setCaret(root.current, span.end))
    }
    // Selected: another label's key names it anew, as long as nothing else is marked.
    editor.select([id])
    return true
  }
  const reading = useLatest(() => {
    const found = root.current && marked(root.current)
    return found && !found.collapsed ? trimmed(text, found.start, found.end) : null
  })
  const label = useLatest((brush: Brush) => {
    const span = reading() ?? pending
    return span ? apply(brush, span) : false
  })

  useEffect(() => {
    editor.views.set(object.name, {
      label,
      busy: () => reading() !== null,
      finish: () => {
        const { brush } = editor.state
        return brush !== null && label(brush)
      },
      cancel: () => {
        const had = reading() !== null
        if (had) window.getSelection()?.collapseToEnd()
        setPending(null)
        return had
      },
      focus: () => root.current?.focus({ preventScroll: true }),
    })
    return () => void editor.views.delete(object.name)
  }, [editor, object.name, label, reading])

  useEffect(() => {
    const region = reveal && editor.region(reveal.id)
    if (!region || region.to !== object.name || !root.current) return
    placeAt(root.current, Number(region.main.value.start))?.node.parentElement?.scrollIntoView({ block: 'nearest', behavior: 'smooth' })
  }, [editor, reveal, object.name])

  // A finger marks by a long press and by dragging the handles, of which no mouse event tells.
  const touched = useRef(false)
  useEffect(() => {
    let timer = 0
    const changed = () => {
      window.clearTimeout(timer)
      if (!touched.current || readOnly) return
      timer = window.setTimeout(() => {
        const span = reading()
        if (span) setPending(span)
      }, 350)
    }
    document.addEventListener('selectionchange', changed)
    return () => {
      window.clearTimeout(timer)
      document.removeEventListener('selectionchange', changed)
    }
  }, [reading, readOnly])

  const onMouseUp = (event: MouseEvent) => {
    if (event.button !== 0) return
    const found = root.current && marked(root.current)
    if (!found) return
    if (found.collapsed) {
      setPending(null)
      const here = spansAt(marks, found.start) as Mark[]
      const at = here.findIndex((mark) => selected.has(mark.id))
      // Another click at the same place means the span below.
      const mark = here[(at + 1) % Math.max(1, here.length)]
      if (mark?.ghost && !readOnly) editor.accept(new Set([mark.id]))
      editor.select(mark ? (event.shiftKey ? [...selected, mark.id] : [mark.id]) : [])
      return
    }
    const span = trimmed(text, found.start, found.end)
    if (!span || readOnly) return
    const wanted = event.detail === 2 ? snapped(text, span.start, span.end) : span
    const { brush } = editor.state
    if (brush && controlOf(editor.config, brush.control)?.to === object.name) apply(brush, wanted)
    else setPending(wanted)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    const region = editor.current
    if (!event.altKey || !region || region.to !== object.name || !/^Arrow(Left|Right)$/.test(event.key)) return
    event.preventDefault()
    const by = event.key === 'ArrowRight' ? 1 : -1
    const unit = event.ctrlKey || event.metaKey ? 'word' : 'character'
    const [start, end] = [Number(region.main.value.start), Number(region.main.value.end)]
    if (event.shiftKey) editor.setSpan(region.id, stepped(text, start, by, unit), end, text)
    else editor.setSpan(region.id, start, stepped(text, end, by, unit), text)
  }

  const offers = pending ? palettes.flatMap((control) => control.labels.map((option) => ({ control, option }))) : []
  return (
    <div className={classes.frame}>
      <div
        key={broken}
        ref={root}
        className={classes.text}
        // The browser's caret and selection need an editing host; what would change it is refused.
        contentEditable
        suppressContentEditableWarning
        spellCheck={false}
        inputMode="none"
        role="textbox"
        tabIndex={0}
        aria-multiline
        aria-readonly
        aria-label={`Text “${object.name}”. Mark a part with Shift and the arrows, then press a label's key. Alt with arrows moves the end of the selected part, Shift with Alt its start.`}
        data-editor-text
        onBeforeInput={(event) => event.preventDefault()}
        onPaste={(event) => event.preventDefault()}
        onCut={(event) => event.preventDefault()}
        onDrop={(event) => event.preventDefault()}
        onDragStart={(event) => event.preventDefault()}
        // What an input method typed cannot be refused beforehand: the text is drawn anew.
        onCompositionEnd={() => setBroken((count) => count + 1)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          touched.current = event.pointerType === 'touch'
        }}
        onMouseUp={onMouseUp}
      >
        {lines.map((line, index) => (
          <Block key={line.start} text={text} start={line.start} end={line.end} marks={byLine.get(index) ?? NO_MARKS} />
        ))}
      </div>
      {offers.length > 0 && pending && <Offer offers={offers} onPick={(control, value) => editor.pick(control, value)} words={text.slice(pending.start, pending.end)} />}
    </div>
  )
}

const NO_MARKS: readonly Mark[] = []

function Offer({ offers, onPick, words }: { offers: { control: LabelControl; option: { value: string; color: string } }[]; onPick: (control: LabelControl, value: string) => void; words: string }) {
  return (
    <Group className={classes.offer} gap={6} role="group" aria-label="Choose a label for what is marked">
      <Text size="sm" truncate maw={220}>
        “{words}” is
      </Text>
      {offers.slice(0, 12).map(({ control, option }) => (
        <Button
          key={`${control.name} ${option.value}`}
          size="compact-sm"
          variant="default"
          leftSection={<span className={classes.dot} style={{ background: option.color }} />}
          // A press would take the focus, and with it what is marked.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onPick(control, option.value)}
        >
          {option.value}
        </Button>
      ))}
    </Group>
  )
}
