/** The annotation editor: what pages may use of it. */
export { Editor, type EditorProps } from './Editor'
export { useEditor, useEditorState } from './hooks'
export { EditorStore, type EditorOptions, type EditorState, type Item } from './store'
export { ACTIONS, runAction, type Action } from './actions'
export { problems, type Problem } from './problems'
export { bindings, keyFor, type Bound } from './keys'
export { drawnRegions, equalResults, isRelation, newId, titleOf, type Drawn, type Region, type Relation, type Result } from './result'
export type { ControlTag, LabelConfig, LabelControl, LabelObject, LabelOption, LayoutNode, ObjectTag } from './config'
