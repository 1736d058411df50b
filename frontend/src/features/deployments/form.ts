/** From a model's manifest to the form that asks it, and back to what is sent. Pure. */
import type { JsonSchema } from '@/ui/schema-form'

export type InputColumn = { name: string; type: string; required?: boolean; choices?: unknown[]; minimum?: number; maximum?: number; example?: unknown; most_characters?: number }
export type Manifest = {
  input?: { kind: string; columns?: InputColumn[]; width?: number; height?: number; channels?: number }
  output?: { kind?: string; labels?: unknown[] }
}

const MOST_CHOICES = 200

/** Models see 32-bit numbers: 67.37 comes back as 67.37000274658203, which nobody entered. */
const short = (value: number): number => Number(value.toPrecision(7))

/** One field a column. Limits of the training data are told as help, not enforced: production may go beyond them. */
export function inputSchema(manifest: Manifest): JsonSchema {
  const columns = manifest.input?.columns ?? []
  const properties: Record<string, JsonSchema> = {}
  for (const column of columns) {
    const range = column.minimum !== undefined && column.maximum !== undefined && column.minimum !== null && column.maximum !== null ? `In training from ${short(column.minimum)} to ${short(column.maximum)}` : ''
    const base = { title: column.name, description: [range, column.required ? '' : 'May be left empty'].filter(Boolean).join('. ') || undefined }
    if (column.choices && column.choices.length > 0 && column.choices.length <= MOST_CHOICES) {
      properties[column.name] = { ...base, type: 'string', enum: column.choices.map(String) } as JsonSchema
    } else if (column.type === 'text') {
      const cut = column.most_characters ? `Free text, of which the first ${column.most_characters.toLocaleString()} characters are read` : 'Free text'
      properties[column.name] = { ...base, type: 'string', format: 'textarea', description: [cut, base.description].filter(Boolean).join('. ') } as JsonSchema
    } else if (column.type === 'integer' || column.type === 'number' || column.type === 'boolean') {
      properties[column.name] = { ...base, type: column.type } as JsonSchema
    } else {
      properties[column.name] = { ...base, type: 'string' } as JsonSchema
    }
  }
  return { type: 'object', properties, required: columns.filter((c) => c.required && !c.most_characters).map((c) => c.name) } as JsonSchema
}

/** What is sent: without what was left empty, but for texts, which may be empty and must be there. */
export function instanceOf(manifest: Manifest, row: Record<string, unknown>): Record<string, unknown> {
  const texts = (manifest.input?.columns ?? []).filter((c) => c.most_characters).map((c) => [c.name, ''])
  return { ...Object.fromEntries(texts), ...Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined && value !== null)) }
}

/** The manifest's examples, so that the form can be sent at once. */
export function exampleRow(manifest: Manifest): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (const column of manifest.input?.columns ?? []) {
    if (column.example !== undefined && column.example !== null) row[column.name] = column.choices ? String(column.example) : typeof column.example === 'number' ? short(column.example) : column.example
  }
  return row
}

/** The same call in three languages, with a real example. */
export function snippets(url: string, manifest: Manifest): { language: string; code: string }[] {
  if (manifest.input?.kind === 'image') {
    return [
      { language: 'curl', code: `curl ${url} \\\n  -H "Authorization: Bearer $HEADRACE_TOKEN" \\\n  -H "Content-Type: image/png" \\\n  --data-binary @image.png` },
      {
        language: 'Python',
        code: `import os, pathlib, requests\n\nanswer = requests.post(\n    "${url}",\n    headers={"Authorization": f"Bearer {os.environ['HEADRACE_TOKEN']}", "Content-Type": "image/png"},\n    data=pathlib.Path("image.png").read_bytes(),\n)\nprint(answer.json()["predictions"][0])`,
      },
      {
        language: 'JavaScript',
        code: `const answer = await fetch("${url}", {\n  method: "POST",\n  headers: { Authorization: \`Bearer \${token}\`, "Content-Type": file.type },\n  body: file,\n})\nconsole.log((await answer.json()).predictions[0])`,
      },
    ]
  }
  const row = exampleRow(manifest)
  const body = JSON.stringify({ instances: [row] }, null, 2)
  return [
    {
      language: 'curl',
      code: `curl ${url} \\\n  -H "Authorization: Bearer $HEADRACE_TOKEN" \\\n  -H "Content-Type: application/json" \\\n  -d '${body.replace(/'/g, String.raw`'\''`)}'`,
    },
    {
      language: 'Python',
      code: `import os, requests\n\nrow = ${python(row)}\nanswer = requests.post(\n    "${url}",\n    headers={"Authorization": f"Bearer {os.environ['HEADRACE_TOKEN']}"},\n    json={"instances": [row]},\n)\nprint(answer.json()["predictions"][0])`,
    },
    {
      language: 'JavaScript',
      code: `const row = ${JSON.stringify(row, null, 2)}\nconst answer = await fetch("${url}", {\n  method: "POST",\n  headers: { Authorization: \`Bearer \${token}\`, "Content-Type": "application/json" },\n  body: JSON.stringify({ instances: [row] }),\n})\nconsole.log((await answer.json()).predictions[0])`,
    },
  ]
}

function python(row: Record<string, unknown>): string {
  const value = (v: unknown) => (v === null ? 'None' : v === true ? 'True' : v === false ? 'False' : JSON.stringify(v))
  return `{\n${Object.entries(row).map(([name, v]) => `    ${JSON.stringify(name)}: ${value(v)},`).join('\n')}\n}`
}
