/** All commands of the canvas, in the order in which menus show them. */
import { addAfter } from './add-after'
import { addStep } from './add-step'
import type { Action, Place } from './action'
import { bypass } from './bypass'
import { compare } from './compare'
import { connect } from './connect'
import { copy } from './copy'
import { cut } from './cut'
import { deselect } from './deselect'
import { disconnect } from './disconnect'
import { duplicate } from './duplicate'
import { dryRun } from './dry-run'
import { editCode } from './edit-code'
import { editParameters } from './edit-parameters'
import { exportYaml } from './export-yaml'
import { findStep } from './find-step'
import { fitView } from './fit-view'
import { importYaml } from './import-yaml'
import { insert } from './insert'
import { newCode } from './new-code'
import { openInside } from './open-inside'
import { pin } from './pin'
import { pipelineParameters } from './pipeline-parameters'
import { nextProblem } from './next-problem'
import { paste } from './paste'
import { publish } from './publish'
import { redo } from './redo'
import { remove } from './remove'
import { rename } from './rename'
import { runFrom } from './run-from'
import { runOnly } from './run-only'
import { runPipeline } from './run-pipeline'
import { runUntil } from './run-until'
import { selectAll } from './select-all'
import { tidyUp } from './tidy-up'
import { toggleInspector } from './toggle-inspector'
import { toggleMinimap } from './toggle-minimap'
import { togglePalette } from './toggle-palette'
import { toggleProblems } from './toggle-problems'
import { undo } from './undo'
import { unpin } from './unpin'
import { nudgeActions, orderActions, walkActions } from './walk'
import { zoomIn } from './zoom-in'
import { zoomOut } from './zoom-out'
import { zoomSelection } from './zoom-selection'

export const ACTIONS: readonly Action[] = [
  runPipeline,
  pipelineParameters,
  runUntil,
  runOnly,
  runFrom,
  dryRun,
  pin,
  unpin,
  openInside,
  publish,
  compare,
  exportYaml,
  importYaml,
  addStep,
  newCode,
  addAfter,
  insert,
  connect,
  editParameters,
  editCode,
  rename,
  undo,
  redo,
  cut,
  copy,
  paste,
  duplicate,
  bypass,
  disconnect,
  remove,
  selectAll,
  deselect,
  tidyUp,
  findStep,
  nextProblem,
  zoomOut,
  zoomIn,
  fitView,
  zoomSelection,
  togglePalette,
  toggleInspector,
  toggleProblems,
  toggleMinimap,
  ...walkActions,
  ...orderActions,
  ...nudgeActions,
]

export function actionsAt(place: Place): Action[] {
  return ACTIONS.filter((action) => action.places.includes(place))
}

export type { Action, Place } from './action'
export { matches } from './action'
