/** Questions that compare: which of two is better, in what order several are. What a form fills in, and the XML that it means. */

export type Comparison = 'pairs' | 'preference' | 'ranking'

/** The columns of a table: of the question that is answered ('' for none), of two answers, of a list of several. */
export interface Compared {
  prompt: string
  first: string
  other: string
  list: string
}

export const COMPARISONS: Record<Comparison, { label: string; description: string; modalities: 'table'[]; asks: string }> = {
  pairs: { label: 'Which is better?', description: 'Two answers side by side; one is chosen.', modalities: ['table'], asks: 'Which answer is better?' },
  preference: { label: 'Which is better, how much, and why', description: 'As for RLHF and DPO: a choice of two, how much better it is, a reason.', modalities: ['table'], asks: 'Which answer is better?' },
  ranking: { label: 'Order of several', description: 'A list of answers, of results, is put in order: the best first.', modalities: ['table'], asks: 'Put the best first.' },
}

export function compares(kind: string): kind is Comparison {
  return kind in COMPARISONS
}

/** By the names that columns of model answers usually have. */
export function guessed(columns: readonly string[], text: string): Compared {
  const find = (words: RegExp, besides: readonly string[] = []) => columns.find((name) => words.test(name) && !besides.includes(name))
  const any = (besides: readonly string[]) => columns.find((name) => !besides.includes(name) && !/^(id|key)$/i.test(name)) ?? ''
  const prompt = find(/prompt|question|instruction|input/i) ?? ''
  const first = find(/(_|\b)(a|1|one|first|left|chosen)$/i, [prompt]) ?? any([prompt])
  const other = find(/(_|\b)(b|2|two|second|right|rejected)$/i, [first, prompt]) ?? any([first, prompt])
  return { prompt, first, other, list: find(/answers|responses|candidates|items|results|list/i) ?? text }
}

export function comparisonXml(kind: Comparison, question: string, { prompt, first, other, list }: Compared, escape: (text: string) => string): string {
  const lines = ['<View>']
  if (question.trim()) lines.push(`  <Header value="${escape(question.trim())}"/>`)
  if (prompt) lines.push(`  <Text name="prompt" value="$${escape(prompt)}"/>`)
  if (kind === 'ranking') lines.push(`  <List name="answers" value="$${escape(list)}"/>`, '  <Ranker name="ranking" toName="answers" required="true"/>')
  else {
    lines.push('  <View style="display: flex">', `    <Text name="first" value="$${escape(first)}"/>`, `    <Text name="second" value="$${escape(other)}"/>`, '  </View>')
    lines.push('  <Pairwise name="better" toName="first,second" required="true"/>')
  }
  if (kind === 'preference') lines.push('  <Header value="How much better?"/>', '  <Rating name="margin" toName="first" maxRating="4"/>', '  <Header value="Why?"/>', '  <TextArea name="reason" toName="first" rows="3" maxSubmissions="1"/>')
  return [...lines, '</View>', ''].join('\n')
}
