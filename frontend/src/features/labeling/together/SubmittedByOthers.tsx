/** Somebody else submitted the item that is still open here: told, with the way on. */
import { Alert, Button, Group, Text } from '@mantine/core'

import type { Submitted } from './session'

export function SubmittedByOthers({ submitted, refused, differs, onNext, onSubmit }: { submitted: Submitted | null; refused: boolean; differs: boolean; onNext: () => void; onSubmit: () => void }) {
  const name = submitted?.by?.name ?? 'Somebody'
  const accepted = submitted?.status === 'accepted'
  return (
    <Alert color={differs || refused ? 'yellow' : 'green'} role="status" title={submitted ? `${name} has submitted this` : 'This item is closed to you'}>
      <Text size="sm">
        {!submitted
          ? 'How people work here has changed, or the item is not yours to label.'
          : refused
            ? 'You took no part in it, so it is theirs to change.'
            : !differs
              ? 'You are named with it.'
              : accepted
                ? 'A reviewer has accepted it already. Your last changes are not in it; ask the reviewer.'
                : 'Your last changes are not in it yet.'}
      </Text>
      <Group gap="xs" mt="xs">
        {differs && !refused && !accepted && (
          <Button size="compact-sm" onClick={onSubmit}>
            Add my changes
          </Button>
        )}
        <Button size="compact-sm" variant={differs && !refused && !accepted ? 'default' : 'filled'} onClick={onNext}>
          Next item
        </Button>
      </Group>
    </Alert>
  )
}
