/** Key points of one thing: the first is the parent of the others (`parentID`), and a line joins those that the schema's skeleton names. */
import type { LabelControl } from './config'
import { isRelation, labelsOf, type Drawn, type Entry, type Region, type Result } from './result'
import type { EditorStore } from './store'

/** The note of a point whose place is known though it is not seen; visibility 1 in COCO. */
export const OCCLUDED = 'occluded'

export function rootOf(region: Region): string {
  return region.parentID ?? region.id
}

export function isOccluded(region: Region): boolean {
  return region.meta?.text?.includes(OCCLUDED) ?? false
}

export function withOccluded(result: Result, ids: ReadonlySet<string>, on: boolean): Result {
  return result.map((entry): Entry => {
    if (isRelation(entry) || !ids.has(entry.id) || entry.type !== 'keypointlabels' || isOccluded(entry) === on) return entry
    const text = (entry.meta?.text ?? []).filter((note) => note !== OCCLUDED)
    return { ...entry, meta: { ...entry.meta, text: on ? [...text, OCCLUDED] : text } }
  })
}

/** The label to place next: the first that an instance lacks and that was not skipped; none when it is whole. */
export function nextLabel(control: LabelControl, regions: readonly Drawn[], root: string, skipped: readonly string[]): string | undefined {
  const there = new Set(regions.filter((region) => rootOf(region.main) === root).flatMap((region) => labelsOf(region.main)))
  return control.labels.find((label) => !there.has(label.value) && !skipped.includes(label.value))?.value
}

/** Pairs of points that a line joins. */
export function bonesOf(control: LabelControl, regions: readonly Drawn[]): { from: Drawn; to: Drawn }[] {
  const instances = new Map<string, Map<string, Drawn>>()
  for (const region of regions) {
    if (region.main.from_name !== control.name) continue
    const root = rootOf(region.main)
    let points = instances.get(root)
    if (!points) instances.set(root, (points = new Map()))
    for (const label of region.labels) if (!points.has(label)) points.set(label, region)
  }
  return [...instances.values()].flatMap((points) =>
    control.skeleton.flatMap(([a, b]) => {
      const [from, to] = [points.get(a), points.get(b)]
      return from && to ? [{ from, to }] : []
    }),
  )
}

/** To the next point of the skeleton that is being placed; to the first of another one when it is whole or gone. */
export function goOn(editor: EditorStore, root: string, skipped: readonly string[]): void {
  const { drawer, regions } = editor
  const { brush } = editor.state
  if (!brush || !drawer || drawer.skeleton.length === 0) return editor.set({ instance: null })
  const gone = root !== '' && !regions.some((region) => rootOf(region.main) === root)
  const next = gone ? undefined : nextLabel(drawer, regions, root, skipped)
  editor.set({ instance: next === undefined ? null : { root, skipped }, brush: { ...brush, label: next ?? drawer.labels[0]?.value ?? '' } })
  if (next) editor.announce(`Next: ${next}`)
}

export function skipPoint(editor: EditorStore): void {
  const { brush, instance } = editor.state
  if (brush) goOn(editor, instance?.root ?? '', [...(instance?.skipped ?? []), brush.label])
}

/** The instance is as whole as it becomes; says whether there was one. */
export function endInstance(editor: EditorStore): boolean {
  if (!editor.state.instance) return false
  goOn(editor, '', editor.drawer?.labels.map((label) => label.value) ?? [])
  return true
}

/** The selected points or, without any, the one just placed: hidden by something, or seen. */
export function occlude(editor: EditorStore): void {
  const { instance, selected, result } = editor.state
  const last = instance && editor.regions.findLast((region) => rootOf(region.main) === instance.root)
  const ids = new Set([...(selected.size > 0 ? selected : last ? [last.id] : [])].filter((id) => editor.editable(id)))
  const on = editor.regions.some((region) => ids.has(region.id) && !isOccluded(region.main))
  editor.apply(withOccluded(result, ids, on), on ? 'Point hidden' : 'Point seen')
}
