/** How an editor begins: with what the one before it showed, where that still fits. */
import { hasPalette, type LabelConfig } from './config'
import { type Result } from './result'
import type { Brush, EditorOptions, EditorState, Looks, MaskTools } from './state'

const NONE: ReadonlySet<string> = new Set<string>()
const LOOKS: Looks = { brightness: 100, contrast: 100, panel: true, texts: true, masks: 100 }
const MASKS: MaskTools = { tool: 'brush', size: 0, tolerance: 16, busy: false }

export function startState(options: EditorOptions, result: Result, before?: { config: LabelConfig; state: EditorState }): EditorState {
  const kept = before && JSON.stringify(before.config.controls) === JSON.stringify(options.config.controls) ? before.state : null
  return {
    result,
    canUndo: false,
    canRedo: false,
    peers: [],
    dirty: false,
    readOnly: options.readOnly ?? false,
    selected: NONE,
    hidden: NONE,
    locked: NONE,
    accepted: NONE,
    suggestions: options.suggestions ?? [],
    brush: kept ? kept.brush : onlyBrush(options.config),
    instance: null,
    page: 0,
    relating: null,
    looks: before?.state.looks ?? LOOKS,
    masks: before ? { ...before.state.masks, busy: false } : MASKS,
    help: false,
    said: '',
    focus: null,
    reveal: null,
  }
}

/** With one label to draw with there is nothing to choose. */
function onlyBrush(config: LabelConfig): Brush | null {
  const palettes = config.controls.filter((control) => hasPalette(config, control))
  const only = palettes.length === 1 ? palettes[0] : undefined
  return only && only.labels.length === 1 ? { control: only.name, label: only.labels[0]!.value } : null
}
