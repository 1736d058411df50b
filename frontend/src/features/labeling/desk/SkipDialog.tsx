/** Why an item is skipped: a few usual reasons by key, or one's own words. */
import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { ErrorNotice } from '@/ui/ErrorNotice'

const REASONS = ['Not clear', 'Broken or empty', 'Does not belong here']

export function SkipDialog({ opened, onClose, onSkip }: { opened: boolean; onClose: () => void; onSkip: (reason: string) => Promise<void> }) {
  const [reason, setReason] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const skip = async (why: string) => {
    setBusy(true)
    setError(null)
    try {
      await onSkip(why)
      setReason('')
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened={opened} onClose={onClose} title="Skip this item">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void skip(reason.trim())
        }}
      >
        <Stack gap="sm">
          <Group gap="xs">
            {REASONS.map((one) => (
              <Button key={one} size="xs" variant="light" disabled={busy} onClick={() => void skip(one)}>
                {one}
              </Button>
            ))}
          </Group>
          <TextInput data-autofocus label="Why" placeholder="So that a reviewer knows" value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} />
          <ErrorNotice error={error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={busy}>
              Skip
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
