/** Schemas and results for the tests. */
import type { LabelConfig, LabelControl, ObjectTag } from './config'
import type { Region } from './result'

export function control(name: string, tag: LabelControl['tag'], labels: readonly string[] = [], more: Partial<LabelControl> = {}): LabelControl {
  return {
    name,
    to: 'it',
    tag,
    type: tag.toLowerCase(),
    labels: labels.map((value) => ({ value, color: '#e11d48', hotkey: '', hint: '' })),
    multiple: false,
    required: false,
    required_message: '',
    per_region: false,
    can_rotate: true,
    minimum: null,
    maximum: null,
    step: null,
    placeholder: '',
    rows: 1,
    max_submissions: null,
    stroke_width: 2,
    opacity: 0.2,
    wand: false,
    skeleton: [],
    closable: false,
    to_more: [],
    buckets: [],
    ...more,
  }
}

export function schema(tag: ObjectTag, ...controls: LabelControl[]): LabelConfig {
  return { objects: [{ name: 'it', tag, value: 'it' }], controls, layout: [{ kind: 'object', name: 'it' }, ...controls.map(({ name }) => ({ kind: 'control' as const, name }))] }
}

export function box(id: string, label = 'Car', more: Partial<Region> = {}): Region {
  return {
    id,
    from_name: 'box',
    to_name: 'it',
    type: 'rectanglelabels',
    value: { x: 10, y: 10, width: 20, height: 20, rotation: 0, rectanglelabels: [label] },
    original_width: 200,
    original_height: 100,
    image_rotation: 0,
    origin: 'manual',
    ...more,
  }
}
