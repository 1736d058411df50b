/** What keeps an annotation from being handed in. The server checks the same again. */
import { isQuestion, type LabelConfig, type LabelControl } from './config'
import { answerOf, drawnRegions, isRelation, titleOf, type Drawn, type Region, type Result } from './result'

export interface Problem {
  readonly control: string
  /** The region that lacks it; not for what is said about the item. */
  readonly region?: string
  readonly message: string
}

/** Where an answer's value lies, if not under its type. */
const SAID_IN: Record<string, string> = { textarea: 'text', pairwise: 'selected' }

function isEmpty(entry: Region): boolean {
  const said = entry.value[SAID_IN[entry.type] ?? entry.type]
  if (Array.isArray(said)) return said.length === 0 || said.every((part) => part === '')
  return isQuestion(entry as unknown as LabelControl) && (said === undefined || said === null || (entry.type === 'rating' && said === 0))
}

const ASKS: Record<string, string> = { choices: 'Choose an answer', rating: 'Give a rating', textarea: 'Write a text', number: 'Enter a number', pairwise: 'Say which one is better', ranker: 'Put the entries in order' }

function words(control: LabelControl, of?: string): string {
  if (control.required_message) return control.required_message
  const asked = ASKS[control.type] ?? 'Mark at least one region'
  return `${asked} for “${control.name}”${of ? ` of ${of}` : ''}.`
}

/** As `workers/sdk/labels/brush.py` has it. */
const MOST_BYTES = 1_000_000

/** Masks that the studio would not take: better told while they are painted than at the end. */
function tooFine(regions: readonly Drawn[]): Problem[] {
  return regions.flatMap((region): Problem[] => {
    const bytes = region.kind === 'brush' && Array.isArray(region.main.value.rle) ? region.main.value.rle.length : 0
    return bytes > MOST_BYTES ? [{ control: region.main.from_name, region: region.id, message: `The mask of ${titleOf(region)} has ${bytes.toLocaleString('en')} bytes, more than ${MOST_BYTES.toLocaleString('en')}: smooth its edges or take stray pixels away.` }] : []
  })
}

export function problems(config: LabelConfig, result: Result): Problem[] {
  const regions = drawnRegions(config, result)
  const missing = config.controls
    .filter((control) => control.required)
    .flatMap((control): Problem[] => {
      if (control.per_region)
        return regions
          .filter((region) => region.to === control.to)
          .filter((region) => region.attributes.every((entry) => entry.from_name !== control.name || isEmpty(entry)))
          .map((region) => ({ control: control.name, region: region.id, message: words(control, titleOf(region)) }))
      const said = isQuestion(control) ? answerOf(result, control.name) : result.find((entry): entry is Region => !isRelation(entry) && entry.from_name === control.name)
      return said && !isEmpty(said) ? [] : [{ control: control.name, message: words(control) }]
    })
  return [...missing, ...tooFine(regions)]
}
