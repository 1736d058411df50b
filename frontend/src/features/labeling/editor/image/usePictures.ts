/** The regions of one image as they are painted. Unchanged regions keep their pictures. */
import { useMemo, useRef } from 'react'

import { controlOf } from '../config'
import { centreOf, shapeOf, type Size } from '../geometry'
import { useRegions, useStore, useStoreState } from '../hooks'
import { bonesOf, isOccluded, rootOf } from '../skeleton'
import { drawnRegions, pageOf, relationsOf, type Drawn } from '../result'
import { pictureOf, planOf, type Arrow, type Bone, type Picture } from './paint'

/** `lifted`: those that are drawn elsewhere while they are moved together. */
export function usePictures(object: string, size: Size | null, lifted: ReadonlySet<string> | null) {
  const editor = useStore()
  const regions = useRegions()
  const selected = useStoreState((state) => state.selected)
  const hidden = useStoreState((state) => state.hidden)
  const accepted = useStoreState((state) => state.accepted)
  const result = useStoreState((state) => state.result)
  const suggestions = useStoreState((state) => state.suggestions)
  const page = useStoreState((state) => state.page)
  const strength = useStoreState((state) => state.looks.masks) / 100
  const kept = useRef(new WeakMap<Drawn, { chosen: boolean; dashed: boolean; size: Size; strength: number; picture: Picture }>())

  const pictures = useMemo(() => {
    if (!size) return []
    const picture = (region: Drawn, chosen: boolean, dashed: boolean, ghost: boolean): Picture[] => {
      if (region.kind === 'span' || region.kind === 'segment' || region.kind === 'track') return []
      const before = kept.current.get(region)
      if (before && before.chosen === chosen && before.dashed === dashed && before.size === size && before.strength === strength) return [before.picture]
      const control = controlOf(editor.config, region.main.from_name)
      const width = Math.max(1, control?.stroke_width ?? 2)
      const fill = region.kind === 'keypoint' || (region.kind === 'vector' && region.main.value.closed !== true) ? 0 : region.kind === 'brush' ? Math.min(0.85, (control?.opacity ?? 0.5) * strength) : Math.min(0.5, control?.opacity ?? 0.2)
      const made = pictureOf(shapeOf(region.kind, region.main.value, size), { id: region.id, color: region.color, title: region.labels.join(', '), dashed: dashed || isOccluded(region.main), ghost, chosen, fill: dashed ? fill / 2 : fill, width })
      kept.current.set(region, { chosen, dashed, size, strength, picture: made })
      return [made]
    }
    const own = regions.filter((region) => region.to === object && pageOf(region) === page && !hidden.has(region.id))
    const ghosts = drawnRegions(editor.config, suggestions).filter((region) => region.to === object && pageOf(region) === page)
    return [
      ...ghosts.flatMap((region) => picture(region, false, true, true)),
      ...own.flatMap((region) => picture(region, selected.has(region.id), region.main.origin === 'prediction' && !accepted.has(region.id), false)),
    ]
  }, [editor.config, regions, suggestions, selected, hidden, accepted, object, size, strength, page])

  const arrows = useMemo(() => {
    const places = new Map(pictures.map((picture) => [picture.id, picture.shape]))
    return relationsOf(result).flatMap((relation): Arrow[] => {
      const [from, to] = [places.get(relation.from_id), places.get(relation.to_id)]
      return from && to ? [{ from: centreOf(from), to: centreOf(to), direction: relation.direction, strong: selected.has(relation.from_id) || selected.has(relation.to_id) }] : []
    })
  }, [pictures, result, selected])

  const bones = useMemo(() => {
    const shown = new Map(pictures.flatMap((picture) => (picture.ghost ? [] : [[picture.id, picture] as const])))
    return editor.config.controls
      .filter((control) => control.to === object && control.skeleton.length > 0)
      .flatMap((control) => bonesOf(control, regions))
      .flatMap(({ from, to }): Bone[] => {
        const [a, b] = [shown.get(from.id), shown.get(to.id)]
        return a && b ? [{ from: centreOf(a.shape), to: centreOf(b.shape), color: b.color }] : []
      })
  }, [editor.config, object, pictures, regions])

  /** The one that has handles is drawn by itself. */
  const alone = selected.size === 1 ? [...selected][0] : undefined
  const plan = useMemo(() => (lifted ? planOf(pictures.filter((picture) => !lifted.has(picture.id)), [], []) : planOf(pictures, arrows, bones, alone)), [pictures, arrows, bones, alone, lifted])
  const moving = useMemo(() => (lifted ? planOf(pictures.filter((picture) => lifted.has(picture.id)), [], bones) : null), [pictures, bones, lifted])
  /** All points of the instance that a region is of. */
  const instance = (id: string): string[] => {
    const one = editor.region(id)
    return one ? regions.filter((region) => rootOf(region.main) === rootOf(one.main)).map((region) => region.id) : []
  }
  return { pictures, plan, moving, instance, held: alone ? (pictures.find((picture) => picture.id === alone && !picture.ghost) ?? null) : null }
}
