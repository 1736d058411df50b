/** Common questions as forms: what somebody fills in, and the XML that it means. */

import { compares, comparisonXml, COMPARISONS, guessed, type Compared, type Comparison } from './comparisons'

export type Kind = Comparison | 'classes' | 'boxes' | 'polygons' | 'lines' | 'masks' | 'keypoints' | 'skeletons' | 'spans' | 'rating' | 'correction' | 'transcription' | 'events' | 'speakers' | 'tracks'
export type Modality = 'table' | 'images' | 'text' | 'audio' | 'video' | 'document'

export type Built = Compared & {
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
  classes: { label: 'Classes', description: 'One of a few words says what the whole item is.', modalities: ['images', 'text', 'table', 'audio', 'video', 'document'] },
  boxes: { label: 'Boxes', description: 'Where things are, as rectangles.', modalities: ['images', 'document'] },
  polygons: { label: 'Outlines', description: 'The exact shape of things, as polygons.', modalities: ['images', 'document'] },
  lines: { label: 'Lines', description: 'Roads, cables, edges, vessels: lines of several points.', modalities: ['images', 'document'] },
  masks: { label: 'Masks', description: 'Which pixels belong to things: painted with a brush, or marked by colour.', modalities: ['images'] },
  keypoints: { label: 'Points', description: 'Single places: joints, corners, centres.', modalities: ['images', 'document'] },
  skeletons: { label: 'Skeletons', description: 'Points of a body, a hand, a tool: placed one after the other, with lines between them.', modalities: ['images'] },
  spans: { label: 'Parts of the text', description: 'Names, dates, claims: words are marked and named.', modalities: ['text', 'table'] },
  transcription: { label: 'Transcription', description: 'Parts of the sound, and what is said in each.', modalities: ['audio'] },
  speakers: { label: 'Speakers', description: 'Who speaks when, and what they say. Parts may overlap.', modalities: ['audio'] },
  events: { label: 'Sounds', description: 'What is heard when: parts of the sound are marked and named.', modalities: ['audio'] },
  tracks: { label: 'Moving boxes', description: 'Where things are while they move: boxes at some frames, reckoned between them.', modalities: ['video'] },
  ...COMPARISONS,
  rating: { label: 'Rating', description: 'One to five stars.', modalities: ['images', 'text', 'table', 'audio', 'video', 'document'] },
  correction: { label: 'Written answer', description: 'A text of one’s own: a description, a correction, a translation.', modalities: ['images', 'text', 'table', 'audio', 'video', 'document'] },
}

const OBJECTS: Record<Modality, { tag: string; name: string; asks: string }> = {
  images: { tag: 'Image', name: 'image', asks: 'What is in the picture?' },
  text: { tag: 'Text', name: 'text', asks: 'What is this text?' },
  table: { tag: 'Text', name: 'text', asks: 'What is this text?' },
  audio: { tag: 'Audio', name: 'audio', asks: 'What is said, and when?' },
  video: { tag: 'Video', name: 'video', asks: 'Where does it move?' },
  document: { tag: 'Pdf', name: 'pdf', asks: 'What is in the document?' },
}

/** What is asked until somebody words it. */
export const questionOf = (kind: Kind, modality: Modality): string => (compares(kind) ? COMPARISONS[kind].asks : OBJECTS[modality].asks)

/** What is there before anybody typed. */
export function begun(modality: Modality, column = '', columns: readonly string[] = []): Built {
  return { kind: modality === 'audio' ? 'transcription' : modality === 'video' ? 'tracks' : 'classes', question: OBJECTS[modality].asks, labels: [], multiple: false, classes: [], bones: [], column, ...guessed(columns, column) }
}

export const takesLabels = (kind: Kind): boolean => !['rating', 'correction', 'transcription'].includes(kind) && !compares(kind)
export const makesRegions = (kind: Kind): boolean => ['boxes', 'polygons', 'lines', 'masks', 'keypoints', 'skeletons', 'spans', 'transcription', 'events', 'speakers', 'tracks'].includes(kind)

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
const TAGS: Partial<Record<Kind, string>> = { boxes: 'RectangleLabels', polygons: 'PolygonLabels', lines: 'VectorLabels', masks: 'BrushLabels', skeletons: 'KeyPointLabels', keypoints: 'KeyPointLabels', spans: 'Labels', events: 'Labels', speakers: 'Labels', transcription: 'Labels', tracks: 'Labels' }

/** Those that were written or, without any, each point with the next. */
export function bonesOf(built: Built): string[] {
  return built.bones.length > 0 ? built.bones : built.labels.slice(1).map((label, at) => `${built.labels[at]}-${label}`)
}

/** In place of a column: all of them. A data set that has a column of this name cannot be shown whole. */
export const WHOLE_ROW = 'row'

/** The schema's XML. What names nothing yet (no labels) is left out, so that problems speak of what is missing. */
export function toXml(built: Built, modality: Modality): string {
  if (compares(built.kind)) return comparisonXml(built.kind, built.question, built, escape)
  const whole = modality === 'table' && built.column === WHOLE_ROW
  const { tag: shown, name: object } = whole ? { tag: 'Table', name: 'table' } : OBJECTS[modality]
  const variable = modality === 'table' ? built.column : object
  const lines = ['<View>']
  if (built.question.trim()) lines.push(`  <Header value="${escape(built.question.trim())}"/>`)
  lines.push(`  <${shown} name="${object}" value="$${escape(variable)}"/>`)
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
    for (const value of built.kind === 'transcription' ? ['Speech'] : built.labels) lines.push(`    <Label value="${escape(value)}"/>`)
    lines.push(`  </${tag}>`)
    if (built.kind === 'masks') lines.push(`  <MagicWand name="wand" toName="${object}"/>`)
    if (built.kind === 'transcription' || built.kind === 'speakers') lines.push(`  <TextArea name="transcription" toName="${object}" perRegion="true" rows="3" maxSubmissions="1"/>`)
    if (built.kind === 'tracks') lines.push(`  <VideoRectangle name="box" toName="${object}"/>`)
    if (built.classes.length > 0) choices('class', built.classes, false, false)
  }
  return [...lines, '</View>', ''].join('\n')
}
