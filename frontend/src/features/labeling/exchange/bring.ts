/** A file of labels on its way in: sent in pieces, then looked at by the studio; nothing is imported before somebody says so. */
import { api, ApiError, csrfToken, errorOf, unwrap, type Schemas } from '@/api/client'

export type LabelImport = Schemas['LabelImportOut']
export type LabelFormat = Schemas['LabelFormatOut']

const CHUNK = 8 * 1024 * 1024
const IMPORT = '/api/v1/projects/{project}/label-schemas/{label_schema}/imports/{label_import}'

type Where = { project: string; label_schema: string }

/** The import once its file has been looked at. `progress` goes from 0 to 1 while bytes are sent. */
export async function bring(where: Where, file: File, format: string, progress: (sent: number) => void): Promise<LabelImport> {
  const made = await unwrap(api.POST('/api/v1/projects/{project}/label-schemas/{label_schema}/imports', { params: { path: where }, body: { filename: file.name, size: file.size, format } }))
  for (let offset = 0; offset < file.size; offset += CHUNK) {
    const answer = await fetch(`/api/v1/projects/${where.project}/label-schemas/${where.label_schema}/imports/${made.id}/chunks?offset=${offset}`, {
      method: 'PUT',
      body: file.slice(offset, offset + CHUNK),
      headers: { 'Content-Type': 'application/octet-stream', 'X-CSRFToken': csrfToken() },
    })
    if (!answer.ok) throw await errorOf(answer)
    progress(Math.min(1, (offset + CHUNK) / file.size))
  }
  return settled(where, await unwrap(api.POST(`${IMPORT}/check`, { params: { path: { ...where, label_import: made.id } } })))
}

/** The import once what fits is kept. */
export async function apply(where: Where, id: string): Promise<LabelImport> {
  return settled(where, await unwrap(api.POST(`${IMPORT}/apply`, { params: { path: { ...where, label_import: id } } })))
}

export async function letGo(where: Where, id: string): Promise<void> {
  await unwrap(api.DELETE(IMPORT, { params: { path: { ...where, label_import: id } } }))
}

async function settled(where: Where, begun: LabelImport): Promise<LabelImport> {
  let found = begun
  for (let pause = 200; found.status === 'queued' || found.status === 'running'; pause = Math.min(pause * 1.5, 1500)) {
    await new Promise((resolve) => setTimeout(resolve, pause))
    found = await unwrap(api.GET(IMPORT, { params: { path: { ...where, label_import: found.id } } }))
  }
  if (found.status === 'failed') throw new ApiError(422, { code: 'import_failed', message: found.problems.length > 0 ? 'This file cannot be read; nothing was imported.' : found.message, problems: found.problems })
  return found
}
