/** A result in a few words, control by control: “class: cat”, “box: 3 × Head”. */
import { isRelation, type LabelConfig, type Result } from './editor'

export function inWords(config: LabelConfig, result: Result): { control: string; words: string }[] {
  const found: { control: string; words: string }[] = []
  for (const control of config.controls) {
    const said = result.flatMap((one) => (!isRelation(one) && one.from_name === control.name ? [one.value as Record<string, unknown>] : []))
    if (said.length === 0) continue
    const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)])
    if (['choices', 'rating', 'number', 'textarea'].includes(control.type)) {
      const words = said.flatMap((value) => list(value[control.type === 'textarea' ? 'text' : control.type]))
      found.push({ control: control.name, words: control.type === 'rating' ? `${words.join(', ')} of ${control.maximum ?? 5}` : words.join(', ') })
      continue
    }
    const counts = new Map<string, number>()
    for (const value of said) {
      const label = list(value[control.type]).join(', ') || 'region'
      const words = typeof value.text === 'string' ? `${label} “${value.text.slice(0, 40)}”` : label
      counts.set(words, (counts.get(words) ?? 0) + 1)
    }
    found.push({ control: control.name, words: [...counts].map(([label, count]) => (count > 1 ? `${count} × ${label}` : label)).join(', ') })
  }
  return found
}
