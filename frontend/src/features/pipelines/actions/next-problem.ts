import { IconArrowRight } from '@tabler/icons-react'

import { type Action } from './action'

export const nextProblem: Action = {
  id: 'pipeline.next-problem',
  label: 'Go to the next problem',
  icon: IconArrowRight,
  group: 'View',
  keys: ['F8'],
  places: [],
  available: (editor) => editor.state.problems.some((problem) => problem.step),
  run: (editor) => {
    const placed = editor.state.problems.filter((problem) => problem.step && editor.graph.steps[problem.step])
    const at = placed.findIndex((problem) => problem.step === editor.current)
    const problem = placed[(at + 1) % placed.length]
    if (!problem?.step) return
    editor.focusField(problem.step, problem.parameter ?? null)
    editor.announce(`${editor.title(problem.step)}: ${problem.message}`)
  },
}
