import { afterEach, expect, test, vi } from 'vitest'
import { api, ApiError, csrfToken, unwrap } from './client'
import { connection } from './connection'

afterEach(() => {
  vi.unstubAllGlobals()
  connection.reached()
})

const answer = (status: number, body: unknown) => vi.stubGlobal('fetch', async () => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }))
const failure = async () => unwrap(api.GET('/api/v1/me')).then(() => { throw new Error('no error') }, (error: unknown) => error as ApiError)

test('our error body becomes an ApiError with its fields', async () => {
  answer(422, { error: { code: 'invalid_input', message: 'Some of what was sent is not right.', field: 'name', hint: '', problems: [{ field: 'name', message: 'Too short.', expected: 'at least 1 character' }], details: {} } })
  const error = await failure()
  expect(error).toBeInstanceOf(ApiError)
  expect(error.code).toBe('invalid_input')
  expect(error.fields.name).toBe('Too short. Expected: at least 1 character')
  expect(connection.online).toBe(true)
})

test('a gateway’s error page means unreachable, and the connection knows', async () => {
  answer(502, '<html>Bad gateway</html>')
  expect((await failure()).code).toBe('unreachable')
  expect(connection.online).toBe(false)
})

test('a dead network is told as such, not as “Failed to fetch”', async () => {
  vi.stubGlobal('fetch', async () => { throw new TypeError('Failed to fetch') })
  const error = await failure()
  expect(error.code).toBe('unreachable')
  expect(error.message).toBe('The studio cannot be reached.')
})

test('the CSRF token is read from among other cookies', () => {
  expect(csrfToken('a=1; headrace_csrf=abc%3D; b=2')).toBe('abc=')
  expect(csrfToken('')).toBe('')
})
