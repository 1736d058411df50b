/** Anything destructive either can be undone (a toast with Undo) or asks first (a dialog that names what goes). */
import { Button, Group, Modal, Stack, Text, TextInput, type ButtonProps } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArrowBackUp, IconCheck, IconX } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { isApiError } from '@/api/client'
import { ErrorNotice } from './ErrorNotice'

/** A button that asks before it acts. With `typed`, the name must be typed first (for what cannot be undone). */
export function ConfirmButton({
  title,
  message,
  confirmLabel,
  typed,
  onConfirm,
  children,
  color = 'red',
  ...button
}: {
  title: string
  message: ReactNode
  confirmLabel: string
  typed?: string
  onConfirm: () => unknown
  children: ReactNode
} & ButtonProps) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button variant="default" {...button} onClick={() => setOpened(true)}>
        {children}
      </Button>
      <ConfirmDialog
        opened={opened}
        onClose={() => setOpened(false)}
        title={title}
        message={message}
        confirmLabel={confirmLabel}
        typed={typed}
        color={String(color)}
        onConfirm={onConfirm}
      />
    </>
  )
}

/** The dialog alone, for menus. Stays open and shows the error when `onConfirm` rejects. */
export function ConfirmDialog({
  opened,
  onClose,
  title,
  message,
  confirmLabel,
  typed,
  color = 'red',
  onConfirm,
}: {
  opened: boolean
  onClose: () => void
  title: string
  message: ReactNode
  confirmLabel: string
  typed?: string
  color?: string
  onConfirm: () => unknown
}) {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const close = () => {
    setText('')
    setError(null)
    onClose()
  }
  const act = async () => {
    setBusy(true)
    setError(null)
    try {
      await onConfirm()
      close()
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened={opened} onClose={close} title={<Text fw={620}>{title}</Text>}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void act()
        }}
      >
        <Stack gap="md">
          <Text component="div" size="sm">
            {message}
          </Text>
          {typed && (
            <TextInput
              data-autofocus
              label={`Type ${typed} to confirm`}
              value={text}
              autoComplete="off"
              onChange={(event) => setText(event.currentTarget.value)}
            />
          )}
          <ErrorNotice error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" color={color} loading={busy} disabled={typed !== undefined && text !== typed} data-autofocus={typed ? undefined : true}>
              {confirmLabel}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

/** “Deleted Income. [Undo]”, ten seconds long; reading it takes time, and the pointer or focus on it stops the clock. */
export function notifyUndo(message: string, undo: () => Promise<unknown>): void {
  const id = `undo-${Date.now()}`
  notifications.show({
    id,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button
          flex="none"
          size="xs"
          variant="light"
          leftSection={<IconArrowBackUp size={14} aria-hidden />}
          onClick={() => {
            notifications.hide(id)
            undo().catch(notifyError)
          }}
        >
          Undo
        </Button>
      </Group>
    ),
    autoClose: 10_000,
    closeButtonProps: { 'aria-label': 'Close' },
  })
}

export function notifyDone(message: string): void {
  notifications.show({ message, color: 'green', icon: <IconCheck size={16} aria-hidden />, closeButtonProps: { 'aria-label': 'Close' } })
}

/** For actions without a place of their own for errors. Forms show errors by their fields instead. */
export function notifyError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const hint = isApiError(error) ? error.hint : ''
  notifications.show({
    title: hint ? message : undefined,
    message: hint || message,
    color: 'red',
    icon: <IconX size={16} aria-hidden />,
    autoClose: 9000,
    closeButtonProps: { 'aria-label': 'Close' },
  })
}
