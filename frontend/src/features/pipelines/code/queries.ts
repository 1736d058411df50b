/** What the code editor asks the studio, one function a question. */
import { queryOptions } from '@tanstack/react-query'

import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'

const BASE = '/api/v1/projects/{project}/code' as const

export type CodeVersion = Schemas['CodeVersionOut']
export type Checked = Schemas['CodeCheckOut']

export const codeKey = (project: string) => [...keys.project(project), 'code'] as const

export const codeVersionQuery = (project: string, code: string, number: number) =>
  queryOptions({
    queryKey: [...codeKey(project), code, number],
    queryFn: () => unwrap(api.GET(`${BASE}/{code}/versions/{number}`, { params: { path: { project, code, number } } })),
    staleTime: Infinity,
  })

export const codeVersionsQuery = (project: string, code: string) =>
  queryOptions({
    queryKey: [...codeKey(project), code, 'versions'],
    queryFn: () => unwrap(api.GET(`${BASE}/{code}/versions`, { params: { path: { project, code } } })),
  })

export const wordsQuery = (project: string) =>
  queryOptions({
    queryKey: [...codeKey(project), 'words'],
    queryFn: () => unwrap(api.GET(`${BASE}/words`, { params: { path: { project } } })),
    staleTime: Infinity,
  })

export const checkCode = (project: string, source: string) => unwrap(api.POST(`${BASE}/check`, { params: { path: { project } }, body: { source } }))

export const createCode = (project: string, name: string, source: string) => unwrap(api.POST(BASE, { params: { path: { project } }, body: { name, source, note: '' } }))

export const publishCode = (project: string, code: string, source: string) => unwrap(api.POST(`${BASE}/{code}/versions`, { params: { path: { project, code } }, body: { source, note: '' } }))

export const deleteCode = (project: string, code: string) => unwrap(api.DELETE(`${BASE}/{code}`, { params: { path: { project, code } } }))

export const restoreCode = (project: string, code: string) => unwrap(api.POST(`${BASE}/{code}/restore`, { params: { path: { project, code } } }))

/** `code:heavy-rows@2` as its parts; null for any other component. */
export function readCodeName(component: string): { slug: string; version: number } | null {
  const found = /^code:([a-z0-9-]+)@(\d+)$/.exec(component)
  return found ? { slug: found[1] as string, version: Number(found[2]) } : null
}
