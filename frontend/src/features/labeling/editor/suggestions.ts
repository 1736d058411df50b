/** A model's answers beside a person's. */
import { controlOf, isAnswer, type LabelConfig } from './config'
import { isRelation, type Entry, type Result } from './result'

/**
 * The result with suggestions taken over: those of some regions or, without `ids`, all. What a person has answered stays:
 * a suggestion for the same question is dropped.
 */
export function takenOver(config: LabelConfig, result: Result, suggestions: Result, ids?: ReadonlySet<string>): { taken: Entry[]; result: Result } {
  const taken = suggestions.filter((entry) => !ids || (!isRelation(entry) && ids.has(entry.id)))
  const key = (entry: Entry): string => {
    if (isRelation(entry)) return `${entry.from_id} ${entry.to_id}`
    const control = controlOf(config, entry.from_name)
    return control && isAnswer(control) ? entry.from_name : `${entry.from_name} ${entry.id}`
  }
  const answered = new Set(result.map(key))
  const added = taken.filter((entry) => !answered.has(key(entry))).map((entry): Entry => (isRelation(entry) ? entry : { ...entry, origin: 'prediction' }))
  return { taken, result: added.length > 0 ? [...result, ...added] : result }
}
