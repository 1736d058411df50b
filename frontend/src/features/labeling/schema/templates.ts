/** Common questions as forms: what somebody fills in, and the XML that it means. */

export type Kind = 'classes' | 'boxes' | 'polygons' | 'masks' | 'keypoints' | 'skeletons' | 'spans' | 'rating' | 'correction'
export type Modality = 'table' | 'images' | 'text'

export type Built = {
  kind: Kind
  question: string
  labels: string[]
  /** Several classes may fit. */
  multiple: boolean
  /** Also ask for a class of the whole item. */
  classes: string[]
  /** Lines between points: two labels with a - between them. */
  bones: string[]
  /** The column that is shown, of a table. */
  column: string
}

export const KINDS: Record<Kind, { label: string; description: string; modalities: Modality[] }> = {
  classes: { label: 'Classes', description: 'One of a few words says what the whole item is.', modalities: ['images', 'text', 'table'] },
  boxes: { label: 'Boxes', description: 'Where things are, as rectangles.', modalities: ['images'] },
  polygons: { label: 'Outlines', description: 'The exact shape of things, as polygons.', modalities: ['images'] },
  masks: { label: 'Masks', description: 'Which pixels belong to things: painted with a brush, or marked by colour.', modalities: ['images'] },
  keypoints: { label: 'Points', description: 'Single places: joints, corners, centres.', modalities: ['images'] },
  skeletons: { label: 'Skeletons', description: 'Points of a body, a hand, a tool: placed one after the other, with lines between them.', modalities: ['images'] },
  spans: { label: 'Parts of the text', description: 'Names, dates, claims: words are marked and named.', modalities: ['text', 'table'] },
  rating: { label: 'Rating', description: 'One to five stars.', modalities: ['images', 'text', 'table'] },
  correction: { label: 'Written answer', description: 'A text of one’s own: a description, a correction, a translation.', modalities: ['images', 'text', 'table'] },
}

/** What is there before anybody typed. */
export function begun(modality: Modality, column = ''): Built {
  return { kind: 'classes', question: modality === 'images' ? 'What is in the picture?' : 'What is this text?', labels: [], multiple: false, classes: [], bones: [], column }
}

export const takesLabels = (kind: Kind): boolean => !['rating', 'correction'].includes(kind)
export const makesRegions = (kind: Kind): boolean => ['boxes', 'polygons', 'masks', 'keypoints', 'skeletons', 'spans'].includes(kind)

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
const TAGS: Partial<Record<Kind, string>> = { boxes: 'RectangleLabels', polygons: 'PolygonLabels', masks: 'BrushLabels', skeletons: 'KeyPointLabels', keypoints: 'KeyPointLabels', spans: 'Labels' }

/** Those that were written or, without any, each point with the next. */
export function bonesOf(built: Built): string[] {
  return built.bones.length > 0 ? built.bones : built.labels.slice(1).map((label, at) => `${built.labels[at]}-${label}`)
}

/** The schema's XML. What names nothing yet (no labels) is left out, so that problems speak of what is missing. */
export function toXml(built: Built, modality: Modality): string {
  const object = modality === 'images' ? 'image' : 'text'
  const variable = modality === 'table' ? built.column : object
  const lines = ['<View>']
  if (built.question.trim()) lines.push(`  <Header value="${escape(built.question.trim())}"/>`)
  lines.push(`  <${modality === 'images' ? 'Image' : 'Text'} name="${object}" value="$${escape(variable)}"/>`)
  const choices = (name: string, values: string[], multiple: boolean, required: boolean) => {
    lines.push(`  <Choices name="${name}" toName="${object}"${multiple ? ' choice="multiple"' : ''}${required ? ' required="true"' : ''}>`)
    for (const value of values) lines.push(`    <Choice value="${escape(value)}"/>`)
    lines.push('  </Choices>')
  }
  if (built.kind === 'classes') choices('class', built.labels, built.multiple, true)
  else if (built.kind === 'rating') lines.push(`  <Rating name="rating" toName="${object}" maxRating="5" required="true"/>`)
  else if (built.kind === 'correction') lines.push(`  <TextArea name="answer" toName="${object}" rows="4" maxSubmissions="1" required="true"/>`)
  else {
    const tag = TAGS[built.kind] ?? 'RectangleLabels'
    const skeleton = built.kind === 'skeletons' ? ` skeleton="${escape(bonesOf(built).join(','))}"` : ''
    lines.push(`  <${tag} name="label" toName="${object}"${skeleton}>`)
    for (const value of built.labels) lines.push(`    <Label value="${escape(value)}"/>`)
    lines.push(`  </${tag}>`)
    if (built.kind === 'masks') lines.push(`  <MagicWand name="wand" toName="${object}"/>`)
    if (built.classes.length > 0) choices('class', built.classes, false, false)
  }
  return [...lines, '</View>', ''].join('\n')
}
