/** What keeps the pipeline from running, one line each; choosing one goes to the step and the field. */
import { ActionIcon, Group, ScrollArea, Text, UnstyledButton } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconX } from '@tabler/icons-react'

import { More, usePieces } from '@/ui/pieces'

import type { Problem } from '../graph/types'
import type { Editor } from './editor'
import { useEditor, useEditorState } from './hooks'
import classes from './panels.module.css'

export function goToProblem(editor: Editor, problem: Problem): void {
  if (problem.step && editor.graph.steps[problem.step]) editor.focusField(problem.step, problem.parameter ?? null)
  editor.announce(problem.message)
}

export function ProblemRow({ problem, onGo }: { problem: Problem; onGo?: () => void }) {
  const editor = useEditor()
  const Mark = problem.severity === 'error' ? IconCircleX : IconAlertTriangle
  return (
    <UnstyledButton
      className={classes.problemRow}
      onClick={() => {
        onGo?.()
        goToProblem(editor, problem)
      }}
    >
      <Mark size={16} className={classes.problemMark} data-severity={problem.severity} aria-label={problem.severity} />
      <div>
        <Text size="sm">
          {problem.step && (
            <Text span size="sm" fw={600}>
              {editor.title(problem.step)}:{' '}
            </Text>
          )}
          {problem.message}
        </Text>
        {problem.hint && (
          <Text size="xs" c="dimmed">
            {problem.hint}
          </Text>
        )}
      </div>
    </UnstyledButton>
  )
}

export function ProblemsPanel() {
  const editor = useEditor()
  const problems = useEditorState((state) => state.problems)
  const runProblems = useEditorState((state) => state.runProblems)
  const checked = useEditorState((state) => state.checked)
  const all = [...runProblems, ...problems].sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'))
  const pieces = usePieces(all)
  return (
    <section className={classes.problems} aria-label="Problems">
      <Group justify="space-between" px="sm" py={6} className={classes.problemsHead}>
        <Text size="sm" fw={620}>
          Problems {all.length > 0 && <span className={classes.count}>{all.length}</span>}
        </Text>
        <ActionIcon size={26} aria-label="Close the problems" onClick={() => editor.set({ problemsOpen: false })}>
          <IconX size={15} aria-hidden />
        </ActionIcon>
      </Group>
      <ScrollArea.Autosize mah={190} type="auto">
        {all.length === 0 ? (
          <Group gap="xs" px="sm" py="xs">
            <IconCircleCheck size={17} color="var(--mantine-color-green-6)" aria-hidden />
            <Text size="sm">{checked === 'failed' ? 'The pipeline could not be checked: the studio did not answer.' : checked === 'waiting' ? 'Checking…' : 'No problems. This pipeline can run.'}</Text>
          </Group>
        ) : (
          <>
            {pieces.shown.map((problem, index) => (
              <ProblemRow key={`${problem.step}${problem.code}${index}`} problem={problem} />
            ))}
            <More {...pieces} what="problems" />
          </>
        )}
      </ScrollArea.Autosize>
    </section>
  )
}
