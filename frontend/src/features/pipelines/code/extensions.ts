/** CodeMirror for the text of a step: colours of both schemes, the names of the kit, and the studio's problems at their lines. */
import { acceptCompletion, snippetCompletion, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { indentLess, indentMore } from '@codemirror/commands'
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { python, pythonLanguage } from '@codemirror/lang-python'
import { lintGutter, type Diagnostic } from '@codemirror/lint'
import { Prec, type Extension, type Text } from '@codemirror/state'
import { EditorView, keymap } from '@codemirror/view'
import { tags } from '@lezer/highlight'

import type { Schemas } from '@/api/client'

type Word = Schemas['CodeWord']
type Member = Schemas['CodeMember']

const TYPES: Record<string, string> = { class: 'class', function: 'function', module: 'namespace', property: 'property', keyword: 'keyword' }

/** The colours are variables of the page, so that one editor serves the light and the dark scheme. */
const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: [tags.comment], color: 'var(--code-comment)', fontStyle: 'italic' },
  { tag: [tags.definition(tags.variableName), tags.function(tags.variableName), tags.function(tags.definition(tags.variableName))], color: 'var(--code-name)' },
  { tag: [tags.className, tags.definition(tags.className)], color: 'var(--code-class)' },
])

const LOOK = EditorView.theme({
  '&': { height: '100%', color: 'var(--mantine-color-text)', backgroundColor: 'var(--hr-surface)', fontSize: '13px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--mantine-color-text)', padding: '8px 0' },
  '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '.cm-gutters': { backgroundColor: 'var(--hr-sunken)', color: 'var(--mantine-color-dimmed)', border: 'none', borderRight: '1px solid var(--hr-line)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--code-line)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--code-selection)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--code-selection)', outline: 'none' },
  '.cm-tooltip': { backgroundColor: 'var(--hr-surface)', color: 'var(--mantine-color-text)', border: '1px solid var(--hr-line)', borderRadius: '6px', boxShadow: 'var(--hr-shadow)' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--mantine-primary-color-filled)', color: 'var(--mantine-primary-color-contrast)' },
  '.cm-completionDetail': { fontStyle: 'normal', opacity: '0.85' },
  '.cm-tooltip.cm-completionInfo': { maxWidth: '300px', padding: '6px 9px', fontFamily: 'var(--mantine-font-family)', fontSize: '12.5px' },
  '.cm-panels': { backgroundColor: 'var(--hr-sunken)', color: 'var(--mantine-color-text)' },
  '.cm-diagnostic': { fontFamily: 'var(--mantine-font-family)', padding: '5px 9px' },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--hr-sunken)', color: 'var(--mantine-color-dimmed)', border: 'none' },
})

export function extensions(words: () => readonly Word[]): Extension {
  return [
    python(),
    indentUnit.of('    '),
    pythonLanguage.data.of({ autocomplete: (context: CompletionContext) => complete(context, words()) }),
    Prec.high(syntaxHighlighting(COLOURS)),
    LOOK,
    lintGutter(),
    // Escape, then Tab leaves the text: CodeMirror lets the next Tab through then.
    keymap.of([
      { key: 'Tab', run: (view) => acceptCompletion(view) || (!view.state.readOnly && indentMore(view)) },
      { key: 'Shift-Tab', run: (view) => !view.state.readOnly && indentLess(view) },
    ]),
    EditorView.contentAttributes.of({ 'aria-label': 'Code', tabindex: '0', spellcheck: 'false', autocorrect: 'off', autocapitalize: 'off' }),
  ]
}

/** After `table.` what a Table can do; inside `Field(` its arguments; else the names that need no import. */
export function complete(context: CompletionContext, words: readonly Word[]): CompletionResult | null {
  const dotted = context.matchBefore(/[A-Za-z_]\w*\.\w*$/)
  if (dotted) {
    const [owner = '', begun = ''] = dotted.text.split('.')
    const word = words.find((one) => one.name === kindOf(context.state.doc, owner, words))
    return word && word.members.length > 0 ? { from: dotted.to - begun.length, options: word.members.map(option), validFor: /^\w*$/ } : null
  }
  const bare = context.matchBefore(/\w+$/)
  if (!bare && !context.explicit) return null
  const line = context.state.doc.lineAt(context.pos)
  const call = /(\w+)\(([^()]*)$/.exec(line.text.slice(0, context.pos - line.from))
  const called = call ? words.find((one) => one.name === call[1]) : undefined
  const given = (called?.members ?? []).filter((one) => one.kind === 'keyword').map((one) => ({ ...option(one), apply: `${one.name}=`, boost: 50 }))
  return { from: bare?.from ?? context.pos, options: [...given, ...words.map(option)], validFor: /^\w*$/ }
}

/** `context` is itself; a parameter is what its annotation says: `table: Table`, or the one of `for t in tables` where it is a list. */
function kindOf(doc: Text, name: string, words: readonly Word[]): string {
  if (words.some((word) => word.name === name)) return name
  const text = doc.toString()
  const loop = new RegExp(`\\bfor\\s+(?:\\w+\\s*,\\s*)?${name}\\s+in\\s+(?:enumerate\\()?(\\w+)`).exec(text)
  const from = loop?.[1] ?? name
  return new RegExp(`\\b${from}\\s*:\\s*(?:Annotated\\[)?(?:list\\[)?(\\w+)`).exec(text)?.[1] ?? ''
}

function option(word: Member): Completion {
  const completion: Completion = { label: word.name, type: TYPES[word.kind] ?? 'variable', detail: word.signature, info: word.help || undefined }
  return word.kind === 'function' ? snippetCompletion(`${word.name}(\${})`, completion) : completion
}

/** Line 0 speaks of the whole text: it is told beside the editor only. */
export function diagnostics(doc: Text, problems: readonly Schemas['CodeProblem'][]): Diagnostic[] {
  return problems
    .filter((problem) => problem.line > 0 && problem.line <= doc.lines)
    .map((problem) => {
      const line = doc.line(problem.line)
      const indent = /^\s*/.exec(line.text)?.[0].length ?? 0
      return { from: Math.min(line.from + indent, line.to), to: line.to, severity: 'error' as const, message: [problem.message, problem.hint].filter(Boolean).join(' ') }
    })
}
