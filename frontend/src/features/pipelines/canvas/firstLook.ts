import { firstView } from '@/lib/view'
import type { Editor } from './editor'

/** What is seen of a pipeline when it is opened; false while the canvas is not there yet. */
export function firstLook(editor: Editor): boolean {
  const plane = document.querySelector('.react-flow')
  const nodes = editor.flow?.getNodes() ?? []
  const [first] = [...nodes].sort((a, b) => a.position.x - b.position.x)
  if (!editor.flow || !plane || !first) return false
  const room = { width: plane.clientWidth, height: plane.clientHeight }
  void editor.flow.setViewport(firstView(editor.flow.getNodesBounds(nodes), { ...first.position, width: first.measured?.width ?? first.initialWidth ?? 0, height: first.measured?.height ?? first.initialHeight ?? 0 }, room))
  return true
}
