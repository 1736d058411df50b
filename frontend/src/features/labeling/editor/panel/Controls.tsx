/** The questions: about the item, or about the selected region. Every one can be answered by keys. */
import { ActionIcon, Button, Group, NumberInput, Rating, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { IconCheck, IconSearch, IconSparkles, IconX } from '@tabler/icons-react'
import { useEffect, useMemo, useRef, useState, type RefObject } from 'react'

import { controlsInOrder, headings, isQuestion, type LabelControl } from '../config'
import { useCurrent, useStore, useStoreState } from '../hooks'
import { keyFor } from '../keys'
import { PairField } from '../pairs/PairField'
import { answerOf, titleOf, type Region } from '../result'
import { ariaKeys, KeyCap } from './KeyCap'
import classes from './panel.module.css'

const MANY = 12

/** What is said about the whole item. */
export function ItemControls() {
  const editor = useStore()
  const controls = useMemo(() => controlsInOrder(editor.config).filter((control) => isQuestion(control) && !control.per_region), [editor.config])
  if (controls.length === 0) return null
  return (
    <section className={classes.section} aria-label="Answers">
      <Stack gap="md">
        {controls.map((control) => (
          <Control key={control.name} control={control} />
        ))}
      </Stack>
    </section>
  )
}

/** What is said about the selected region; asks to select one where there is something to say. */
export function RegionControls() {
  const editor = useStore()
  const current = useCurrent()
  const controls = useMemo(() => controlsInOrder(editor.config).filter((control) => control.per_region && isQuestion(control)), [editor.config])
  const shown = controls.filter((control) => control.to === current?.to)
  if (!current || shown.length === 0) return null
  return (
    <section className={classes.section} aria-label={`About the selected region, ${titleOf(current)}`}>
      <Group gap={6} mb={8}>
        <span className={classes.swatch} style={{ background: current.color }} />
        <Text size="sm" fw={620}>
          {titleOf(current)}
        </Text>
      </Group>
      <Stack gap="md" key={current.id}>
        {shown.map((control) => (
          <Control key={control.name} control={control} region={current.id} />
        ))}
      </Stack>
    </section>
  )
}

function Control({ control, region }: { control: LabelControl; region?: string }) {
  const editor = useStore()
  const entry = useStoreState((state) => answerOf(state.result, control.name, region))
  const readOnly = useStoreState((state) => state.readOnly || (region !== undefined && state.locked.has(region)))
  const focus = useStoreState((state) => (state.focus?.control === control.name ? state.focus : null))
  const field = useRef<HTMLElement>(null)
  const heading = useMemo(() => headings(editor.config).get(control.name), [editor.config, control.name])

  useEffect(() => {
    if (!focus) return
    const asked = field.current
    const target = asked?.matches('button,input,textarea') ? asked : asked?.querySelector<HTMLElement>('button,input,textarea')
    target?.focus()
    asked?.scrollIntoView({ block: 'nearest' })
  }, [focus])

  const props = { control, entry, readOnly, region, label: heading ?? control.name }
  return (
    <div ref={field as RefObject<HTMLDivElement | null>}>
      <Group gap={6} mb={4} wrap="nowrap">
        <Text size="sm" fw={560} id={`about-${control.name}-${region ?? ''}`}>
          {props.label}
          {control.required && (
            <Text span c="red" title="An answer is needed">
              {' *'}
            </Text>
          )}
        </Text>
        <KeyCap keys={keyFor(editor.keys, control.name, '')} />
        {control.multiple && (
          <Text size="xs" c="dimmed">
            several may be chosen
          </Text>
        )}
      </Group>
      {control.type === 'choices' && <ChoicesField {...props} />}
      {control.type === 'rating' && <RatingField {...props} />}
      {control.type === 'number' && <NumberField {...props} />}
      {control.type === 'textarea' && <TextField {...props} />}
      {control.type === 'pairwise' && <PairField {...props} />}
    </div>
  )
}

export interface FieldProps {
  control: LabelControl
  entry: Region | undefined
  readOnly: boolean
  region: string | undefined
  label: string
}

function ChoicesField({ control, entry, readOnly, region, label }: FieldProps) {
  const editor = useStore()
  const [query, setQuery] = useState('')
  const chosen = (entry?.value.choices as string[] | undefined) ?? []
  // Dashed until somebody answers, as everything that a model says.
  const suggested = useStoreState((state) => (entry ? undefined : answerOf(state.suggestions, control.name, region)))
  const ghosts = (suggested?.value.choices as string[] | undefined) ?? []
  const many = control.labels.length > MANY
  const shown = control.labels.filter((choice) => choice.value.toLowerCase().includes(query.toLowerCase()))
  return (
    <>
      {many && (
        <TextInput
          size="sm"
          mb={6}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            // The first that is found is the one that is meant.
            if (event.key !== 'Enter' || !shown[0] || readOnly) return
            editor.choose(control, shown[0].value, region)
            setQuery('')
          }}
          placeholder="Find a choice, Enter takes the first"
          aria-label={`Find a choice of ${label}`}
          leftSection={<IconSearch size={14} />}
        />
      )}
      <div className={classes.choices} data-many={many || undefined} role="group" aria-labelledby={`about-${control.name}-${region ?? ''}`}>
        {shown.map((choice) => {
          const key = keyFor(editor.keys, control.name, choice.value)
          const on = chosen.includes(choice.value)
          const ghost = ghosts.includes(choice.value)
          return (
            <button
              key={choice.value}
              type="button"
              className={classes.choice}
              aria-pressed={on}
              aria-keyshortcuts={key ? ariaKeys(key) : undefined}
              data-round={!control.multiple || undefined}
              data-suggested={ghost || undefined}
              disabled={readOnly}
              title={choice.hint || undefined}
              onClick={() => editor.choose(control, choice.value, region)}
            >
              <span className={classes.tick}>{on && <IconCheck size={13} stroke={3} />}</span>
              <span className={classes.choiceText}>{choice.value}</span>
              {ghost && (
                <span className={classes.suggestedChoice}>
                  <IconSparkles size={13} aria-hidden /> suggested
                  {!readOnly && <KeyCap keys="shift+a" />}
                </span>
              )}
              <KeyCap keys={key} />
            </button>
          )
        })}
        {shown.length === 0 && (
          <Text size="sm" c="dimmed">
            No choice has “{query}” in it.
          </Text>
        )}
      </div>
    </>
  )
}

function RatingField({ control, entry, readOnly, region, label }: FieldProps) {
  const editor = useStore()
  const rating = Number(entry?.value.rating ?? 0)
  const keyed = keyFor(editor.keys, control.name, '1')
  return (
    <Group gap="xs">
      <Rating size="lg" count={control.maximum ?? 5} value={rating} readOnly={readOnly} onChange={(stars) => editor.answer(control, { rating: stars }, region, `${stars} stars`)} aria-label={label} getSymbolLabel={(stars) => `${stars} of ${control.maximum ?? 5}`} />
      {keyed && !rating && <KeyCap keys="alt+1…" />}
      {rating > 0 && !readOnly && (
        <ActionIcon size="sm" aria-label={`Take the rating of ${label} back`} onClick={() => editor.answer(control, null, region, 'No rating')}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </Group>
  )
}

function NumberField({ control, entry, readOnly, region, label }: FieldProps) {
  const editor = useStore()
  const said = entry?.value.number
  return (
    <NumberInput
      size="sm"
      value={typeof said === 'number' ? said : ''}
      onChange={(number) => editor.answer(control, typeof number === 'number' ? { number } : null, region)}
      min={control.minimum ?? undefined}
      max={control.maximum ?? undefined}
      step={control.step ?? 1}
      clampBehavior="blur"
      readOnly={readOnly}
      placeholder={control.placeholder || undefined}
      aria-label={label}
    />
  )
}

function TextField({ control, entry, readOnly, region, label }: FieldProps) {
  const editor = useStore()
  const [draft, setDraft] = useState('')
  const texts = (entry?.value.text as string[] | undefined) ?? []
  const write = (next: string[]) => editor.answer(control, next.length > 0 ? { text: next } : null, region)
  const single = control.max_submissions === 1
  const full = control.max_submissions !== null && texts.length >= control.max_submissions
  const add = () => {
    if (draft.trim() && !full) write([...texts, draft.trim()])
    setDraft('')
  }
  if (single) return <Textarea size="sm" autosize minRows={Math.max(1, control.rows)} maxRows={12} value={texts[0] ?? ''} onChange={(event) => write(event.currentTarget.value === '' ? [] : [event.currentTarget.value])} readOnly={readOnly} placeholder={control.placeholder || undefined} aria-label={label} />
  return (
    <Stack gap={6}>
      {texts.map((text, index) => (
        <Group key={index} gap={4} wrap="nowrap" align="flex-start">
          <Textarea size="sm" flex={1} autosize minRows={1} maxRows={8} value={text} readOnly={readOnly} onChange={(event) => write(texts.map((other, at) => (at === index ? event.currentTarget.value : other)))} aria-label={`${label}, text ${index + 1}`} />
          {!readOnly && (
            <ActionIcon aria-label={`Delete text ${index + 1} of ${label}`} onClick={() => write(texts.filter((_, at) => at !== index))}>
              <IconX size={16} />
            </ActionIcon>
          )}
        </Group>
      ))}
      {!readOnly && !full && (
        <Textarea
          size="sm"
          autosize
          minRows={Math.max(1, control.rows)}
          maxRows={12}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          onBlur={add}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || (control.rows > 1 && !event.ctrlKey && !event.metaKey) || event.shiftKey) return
            event.preventDefault()
            add()
          }}
          placeholder={control.placeholder || (control.rows > 1 ? 'Write; Ctrl+Enter adds it' : 'Write; Enter adds it')}
          aria-label={texts.length > 0 ? `${label}, another text` : label}
        />
      )}
      {!readOnly && draft && (
        <Button size="compact-xs" variant="light" w="fit-content" onMouseDown={(event) => event.preventDefault()} onClick={add}>
          Add
        </Button>
      )}
    </Stack>
  )
}
