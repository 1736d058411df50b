import { describe, expect, it } from 'vitest'

import { control, schema } from './fixture'
import { bindings } from './keys'
import { maskOf } from './mask/mask'
import { EditorStore } from './store'

const SIZE = { width: 10, height: 10 }
const brush = { kind: 'brush' as const, mask: maskOf(SIZE, [12, 15, 22, 25]) }

function begun(): EditorStore {
  const config = schema('Image', control('area', 'BrushLabels', ['Sky', 'Sea'], { wand: true }))
  const editor = new EditorStore({ config, item: { data: {}, urls: {} }, result: [] })
  editor.sizes.it = SIZE
  editor.useMaskTool('brush')
  return editor
}

describe('masks in the editor', () => {
  it('are kept as Label Studio keeps them', () => {
    const editor = begun()
    editor.addShape(brush)
    const value = editor.regions[0]!.main.value
    expect(Object.keys(value).sort()).toEqual(['brushlabels', 'format', 'rle'])
    expect(value).toMatchObject({ format: 'rle', brushlabels: ['Sky'] })
    expect(editor.regions[0]!.main).toMatchObject({ type: 'brushlabels', original_width: 10, original_height: 10 })
    expect(editor.shape(editor.regions[0]!)).toEqual(brush)
  })

  it('erased to the last pixel are gone, and undone stroke by stroke', () => {
    const editor = begun()
    const id = editor.addShape(brush)!
    editor.setShape(id, { kind: 'brush', mask: maskOf(SIZE, [12, 15]) }, 'erased')
    editor.setShape(id, { kind: 'brush', mask: maskOf(SIZE, []) }, 'erased')
    expect(editor.regions).toEqual([])
    editor.undo()
    expect(editor.shape(editor.regions[0]!)).toMatchObject({ mask: { area: 3 } })
    editor.undo()
    expect(editor.shape(editor.regions[0]!)).toMatchObject({ mask: { area: 6 } })
  })

  it('begin anew with another label, and are renamed only while nothing is painted', () => {
    const editor = begun()
    const id = editor.addShape(brush)!
    editor.select([id])
    editor.pick(editor.config.controls[0]!, 'Sea')
    expect([editor.state.selected.size, editor.state.brush?.label, editor.regions[0]!.labels[0]]).toEqual([0, 'Sea', 'Sky'])
    editor.useTool(null)
    editor.select([id])
    editor.pick(editor.config.controls[0]!, 'Sea')
    expect(editor.regions[0]!.labels).toEqual(['Sea'])
  })

  it('go on with the selected one when the eraser is taken', () => {
    const editor = begun()
    const id = editor.addShape(brush)!
    editor.useTool(null)
    editor.select([id])
    editor.useMaskTool('eraser')
    expect([...editor.state.selected]).toEqual([id])
    expect([editor.state.masks.tool, editor.state.brush]).toEqual(['eraser', { control: 'area', label: 'Sky' }])
  })

  it('are copied a little aside', () => {
    const editor = begun()
    editor.select([editor.addShape(brush)!])
    editor.duplicate()
    expect(editor.regions).toHaveLength(2)
    expect(editor.shape(editor.regions[1]!)).toMatchObject({ mask: { bounds: { x: 6, y: 5, width: 3, height: 2 } } })
  })

  it('take m, e and w for their tools, in schemas with masks only', () => {
    const many = Array.from({ length: 20 }, (_, at) => `Label ${at}`)
    expect(bindings(schema('Image', control('area', 'BrushLabels', many))).map((bound) => bound.key)).not.toEqual(expect.arrayContaining(['m']))
    expect(bindings(schema('Image', control('box', 'RectangleLabels', many))).map((bound) => bound.key)).toContain('w')
  })
})
