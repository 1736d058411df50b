import { describe, expect, it } from 'vitest'
import { begun, KINDS, toXml, type Kind } from './templates'

describe('questions as forms', () => {
  it('become XML that parses, whatever is typed', () => {
    for (const kind of Object.keys(KINDS) as Kind[]) {
      const xml = toXml({ ...begun('images'), kind, labels: ['a & b', '<x>', '"q"'], classes: ['yes'], question: 'Is it <b>?' }, 'images')
      const parsed = new DOMParser().parseFromString(xml, 'text/xml')
      expect(parsed.querySelector('parsererror'), xml).toBeNull()
      expect(parsed.querySelector('Header')?.getAttribute('value')).toBe('Is it <b>?')
    }
  })

  it('join the points of a skeleton, one to the next unless something else is said', () => {
    const built = { ...begun('images'), kind: 'skeletons' as const, labels: ['nose', 'eye', 'ear'] }
    expect(toXml(built, 'images')).toContain('skeleton="nose-eye,eye-ear"')
    expect(toXml({ ...built, bones: ['nose-ear'] }, 'images')).toContain('skeleton="nose-ear"')
    expect(toXml({ ...built, kind: 'masks' }, 'images')).toContain('<MagicWand name="wand" toName="image"/>')
  })

  it('compare two columns, or the entries of one, under a prompt', () => {
    const columns = ['id', 'prompt', 'answer_a', 'answer_b']
    const built = { ...begun('table', 'prompt', columns), question: 'Which <is> better?' }
    expect([built.prompt, built.first, built.other]).toEqual(['prompt', 'answer_a', 'answer_b'])
    expect(toXml({ ...built, kind: 'pairs' }, 'table')).toContain('<Pairwise name="better" toName="first,second" required="true"/>')
    expect(toXml({ ...built, kind: 'preference' }, 'table')).toContain('<TextArea name="reason"')
    const ranking = toXml({ ...built, kind: 'ranking', list: 'answers', prompt: '' }, 'table')
    expect(ranking).toContain('<List name="answers" value="$answers"/>')
    expect(ranking).not.toContain('name="prompt"')
  })

  it('show the column of a table', () => {
    expect(toXml({ ...begun('table', 'review'), kind: 'spans', labels: ['Person'] }, 'table')).toContain('<Text name="text" value="$review"/>')
    expect(toXml({ ...begun('table', 'row'), kind: 'rating' }, 'table')).toContain('<Table name="table" value="$row"/>')
  })
})
