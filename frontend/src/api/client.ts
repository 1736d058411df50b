/**
 * The one way to the JSON API: typed by schema.d.ts, with Django's CSRF token, and every failure an `ApiError`.
 *
 *     const run = await unwrap(api.GET('/api/v1/projects/{project}/runs/{run_id}', { params: { path: { project, run_id } } }))
 */
import createClient, { type Middleware } from 'openapi-fetch'
import { connection } from './connection'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
/** Our error body. It is the same on every route, so the OpenAPI document does not repeat it. */
type ErrorBody = { code: string; message: string; field?: string | null; hint?: string; problems?: Partial<Problem>[]; details?: Record<string, unknown> }
export type Problem = { field: string; message: string; expected: string }

/** What went wrong, as the studio told it: a code for programs, a message for people, the field it is about. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly field: string | null
  readonly hint: string
  readonly problems: Problem[]
  readonly details: Record<string, unknown>

  constructor(status: number, body: ErrorBody) {
    super(body.message)
    this.name = 'ApiError'
    this.status = status
    this.code = body.code
    this.field = body.field ?? null
    this.hint = body.hint ?? ''
    this.problems = (body.problems ?? []).map((p) => ({ field: p.field ?? '', message: p.message ?? '', expected: p.expected ?? '' }))
    this.details = body.details ?? {}
  }

  /** Messages by field, for forms. */
  get fields(): Record<string, string> {
    const found: Record<string, string> = {}
    for (const p of this.problems) if (p.field) found[p.field] ??= p.expected ? `${p.message} Expected: ${p.expected}` : p.message
    if (this.field) found[this.field] ??= this.message
    return found
  }
}

export const UNREACHABLE = 'unreachable'

export function csrfToken(cookies: string = document.cookie): string {
  const found = cookies.split('; ').find((c) => c.startsWith('headrace_csrf='))
  return found ? decodeURIComponent(found.slice('headrace_csrf='.length)) : ''
}

/** Turns any answer that is not a success into an ApiError; understands our error body and anything else. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  try {
    const body = JSON.parse(text) as { error?: ErrorBody; detail?: unknown }
    if (body.error?.message) return new ApiError(response.status, { ...body.error })
    if (typeof body.detail === 'string') return new ApiError(response.status, { code: 'http_error', message: body.detail })
  } catch {
    // Not JSON: a proxy's page, or Django's own. The status is all there is to tell.
  }
  if ([502, 503, 504].includes(response.status)) {
    return new ApiError(response.status, { code: UNREACHABLE, message: 'The studio is starting or not reachable just now.', hint: 'This page goes on by itself as soon as it answers.' })
  }
  return new ApiError(response.status, {
    code: response.status >= 500 ? 'server_error' : 'http_error',
    message: response.status >= 500 ? 'The studio could not answer: something failed on its side.' : `The studio refused this request (HTTP ${response.status}).`,
    hint: response.status >= 500 ? 'Try again. If it stays so, the reason is in the log of the web process.' : '',
  })
}

const middleware: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && request.method !== 'HEAD') request.headers.set('X-CSRFToken', csrfToken())
    return request
  },
  async onResponse({ response }) {
    if (response.ok) {
      connection.reached()
      return response
    }
    const error = await errorOf(response)
    if (error.code === UNREACHABLE) connection.lost()
    else connection.reached()
    throw error
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === 'AbortError') return error
    connection.lost()
    return new ApiError(0, { code: UNREACHABLE, message: 'The studio cannot be reached.', hint: 'Is it still running, and are you on the network? This page goes on by itself as soon as it answers.' })
  },
}

// The indirection through globalThis lets tests put their own fetch in place.
export const api = createClient<paths>({ baseUrl: window.location.origin, credentials: 'same-origin', fetch: (request) => globalThis.fetch(request) })
api.use(middleware)

/** The data of an answer, or its ApiError thrown. A 204 gives undefined. */
export async function unwrap<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data } = await answer
  return data as T
}

export function isApiError(error: unknown): error is ApiError {
  return error instanceof ApiError
}
