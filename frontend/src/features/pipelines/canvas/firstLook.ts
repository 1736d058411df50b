import { firstView } from '@/lib/view'
import { MANY, SMALLEST } from '@/lib/window'
import { at, bounds, stepSize } from '../graph/geometry'
import type { Editor } from './editor'

/** What is seen of a pipeline when it is opened; false while the canvas is not there yet. */
export function firstLook(editor: Editor): boolean {
  const plane = document.querySelector('.react-flow')
  const { graph, catalog } = editor
  const steps = Object.values(graph.steps)
  const all = bounds(graph, catalog)
  if (!editor.flow || !plane || !all) return false
  const first = steps.reduce((least, step) => (at(step).x < at(least).x ? step : least))
  const room = { width: plane.clientWidth, height: plane.clientHeight }
  void editor.flow.setViewport(firstView(all, { ...at(first), ...stepSize(catalog, first) }, room, undefined, steps.length > MANY ? SMALLEST : 0))
  return true
}
