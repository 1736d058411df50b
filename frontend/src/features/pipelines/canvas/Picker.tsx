/** A dialog with a search field and a list: adding a step, connecting, finding a step. Typing, arrows and Enter do it all. */
import { Combobox, Group, Modal, Text, useCombobox } from '@mantine/core'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'

import classes from './palette.module.css'

export interface PickerItem {
  readonly id: string
  readonly title: string
  readonly detail?: string
  readonly group?: string
  readonly search?: string
  readonly icon?: ReactNode
  readonly side?: ReactNode
}

/** Rows beyond this are not drawn; typing narrows the list. */
const MOST = 200

export function Picker({ opened, title, placeholder, empty, items, onClose, onPick, hint }: { opened: boolean; title: string; placeholder: string; empty: string; items: readonly PickerItem[]; onClose: () => void; onPick: (id: string) => void; hint?: ReactNode }) {
  return (
    <Modal opened={opened} onClose={onClose} title={<Text fw={620}>{title}</Text>} size="lg" yOffset="10vh" centered={false} classNames={{ body: classes.pickerBody }} transitionProps={{ duration: 80, exitDuration: 0 }}>
      {opened && <List placeholder={placeholder} empty={empty} items={items} onPick={onPick} onClose={onClose} hint={hint} />}
    </Modal>
  )
}

function List({ placeholder, empty, items, onPick, onClose, hint }: { placeholder: string; empty: string; items: readonly PickerItem[]; onPick: (id: string) => void; onClose: () => void; hint?: ReactNode }) {
  const [text, setText] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const combobox = useCombobox({ opened: true })
  const shown = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    return items.filter((item) => words.every((word) => `${item.title} ${item.detail ?? ''} ${item.group ?? ''} ${item.search ?? ''}`.toLowerCase().includes(word))).slice(0, MOST)
  }, [items, text])
  const groups = useMemo(() => {
    const found = new Map<string, PickerItem[]>()
    for (const item of shown) found.set(item.group ?? '', [...(found.get(item.group ?? '') ?? []), item])
    return [...found]
  }, [shown])
  useEffect(() => {
    input.current?.focus()
  }, [])
  useEffect(() => {
    combobox.selectFirstOption()
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the first row is chosen whenever the list changes, not the store
  }, [shown])
  const option = (item: PickerItem) => (
    <Combobox.Option key={item.id} value={item.id} className={classes.option}>
      <Group gap="sm" wrap="nowrap">
        {item.icon}
        <div className={classes.optionText}>
          <Text size="sm" fw={560} truncate>
            {item.title}
          </Text>
          {item.detail && (
            <Text size="xs" c="dimmed" truncate>
              {item.detail}
            </Text>
          )}
        </div>
        {item.side}
      </Group>
    </Combobox.Option>
  )
  return (
    <Combobox store={combobox} onOptionSubmit={onPick} withinPortal={false}>
      <Combobox.EventsTarget>
        <input ref={input} data-autofocus className={classes.pickerInput} placeholder={placeholder} aria-label={placeholder} value={text} onChange={(event) => setText(event.currentTarget.value)} autoComplete="off"
          spellCheck={false}
          // The list would take Escape for closing itself; here it closes the dialog.
          onKeyDownCapture={(event) => event.key === 'Escape' && onClose()}
        />
      </Combobox.EventsTarget>
      {hint}
      <div className={classes.pickerList}>
        <Combobox.Options>
          {shown.length === 0 && <Combobox.Empty>{empty}</Combobox.Empty>}
          {groups.map(([group, members]) =>
            group ? (
              <Combobox.Group key={group} label={group}>
                {members.map(option)}
              </Combobox.Group>
            ) : (
              members.map(option)
            ),
          )}
        </Combobox.Options>
      </div>
    </Combobox>
  )
}
