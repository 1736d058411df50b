/** What the trigger pages ask for and send. Live events ask again by the key's prefix (`api/events.ts`). */
import { infiniteQueryOptions, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { IconBox, IconBroadcast, IconBolt, IconCalendarTime, IconDatabase, IconFlagCheck, IconListDetails, IconStack2, IconWebhook, type Icon } from '@tabler/icons-react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { notifyError, notifyUndo } from '@/ui/confirm'

export type Trigger = Schemas['TriggerOut']
export type Kind = Schemas['TriggerKindOut']
export type TriggerEvent = Schemas['TriggerEventOut']
export type Body = Schemas['TriggerIn']
export const STATUSES = ['started', 'received', 'coalesced', 'limited', 'failed', 'ignored'] as const

const ICONS: Record<string, Icon> = {
  cron: IconCalendarTime,
  webhook: IconWebhook,
  dataset_version: IconDatabase,
  run_finished: IconFlagCheck,
  model_registered: IconBox,
  kafka: IconStack2,
  redis_stream: IconListDetails,
  mqtt: IconBroadcast,
}
export const kindIcon = (kind: string): Icon => ICONS[kind] ?? IconBolt

export const triggersQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.triggers(project), 'list'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/triggers', { params: { path: { project } } })),
  })

export const triggerQuery = (project: string, trigger: string) =>
  queryOptions({
    queryKey: [...keys.triggers(project), 'one', trigger],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/triggers/{trigger}', { params: { path: { project, trigger } } })),
  })

export const kindsQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.project(project), 'trigger-kinds'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/trigger-kinds', { params: { path: { project } } })),
    staleTime: Infinity,
  })

export const eventsQuery = (project: string, trigger: string, status: TriggerEvent['status'] | undefined) =>
  infiniteQueryOptions({
    queryKey: [...keys.triggers(project), 'events', trigger, status],
    queryFn: ({ pageParam }) =>
      unwrap(api.GET('/api/v1/projects/{project}/triggers/{trigger}/events', { params: { path: { project, trigger }, query: { status, cursor: pageParam, limit: 30 } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  })

export const eventQuery = (project: string, trigger: string, event: string) =>
  queryOptions({
    queryKey: [...keys.triggers(project), 'event', event],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/triggers/{trigger}/events/{event_id}', { params: { path: { project, trigger, event_id: event } } })),
  })

export const timesQuery = (project: string, schedule: string, timeZone: string) =>
  queryOptions({
    queryKey: [...keys.project(project), 'cron-times', schedule, timeZone],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/cron-times', { params: { path: { project }, query: { schedule, time_zone: timeZone } } })),
    retry: false,
  })

/** What the forms choose from. */
export function useChoices(project: string) {
  const pipelines = useQuery({
    queryKey: [...keys.pipelines(project), 'choices'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/pipelines', { params: { path: { project }, query: { limit: 200 } } })),
  })
  const datasets = useQuery({
    queryKey: [...keys.datasets(project), 'choices'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/datasets', { params: { path: { project }, query: { limit: 200 } } })),
  })
  const models = useQuery({ queryKey: [...keys.models(project), 'list', ''], queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models', { params: { path: { project } } })) })
  return {
    pipelines: pipelines.data?.items ?? [],
    loading: pipelines.isPending,
    context: {
      pipelines: (pipelines.data?.items ?? []).map((p) => ({ slug: p.slug, name: p.name })),
      datasets: (datasets.data?.items ?? []).map((d) => ({ slug: d.slug, name: d.name, modality: d.modality, latest: d.latest_version ?? null })),
      models: (models.data ?? []).map((m) => ({ slug: m.slug, name: m.name })),
    },
  }
}

export function useSwitch(project: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ slug, enabled }: { slug: string; enabled: boolean }) => {
      const params = { path: { project, trigger: slug } }
      return unwrap(enabled ? api.POST('/api/v1/projects/{project}/triggers/{trigger}/enable', { params }) : api.POST('/api/v1/projects/{project}/triggers/{trigger}/disable', { params }))
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.triggers(project) }),
    onError: notifyError,
  })
}

export function useDelete(project: string, done: () => void) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (trigger: Trigger) => unwrap(api.DELETE('/api/v1/projects/{project}/triggers/{trigger}', { params: { path: { project, trigger: trigger.slug } } })),
    onSuccess: (_, trigger) => {
      const refresh = () => client.invalidateQueries({ queryKey: keys.triggers(project) })
      done()
      void refresh()
      notifyUndo(`Deleted “${trigger.name}”.`, async () => {
        await unwrap(api.POST('/api/v1/projects/{project}/triggers/{trigger}/restore', { params: { path: { project, trigger: trigger.slug } } }))
        await refresh()
      })
    },
    onError: notifyError,
  })
}

/** How a webhook is called, for the terminal. */
export function curlOf(url: string, secret: string): string {
  return [
    `SECRET='${secret}'`,
    `BODY='{"version": "orders@7"}'`,
    `T=$(date +%s)`,
    `SIGNATURE=$(printf '%s.%s' "$T" "$BODY" | openssl dgst -sha256 -hmac "$SECRET" -hex | sed 's/.* //')`,
    `curl -X POST '${url}' -H 'Content-Type: application/json' \\`,
    `  -H "X-Headrace-Signature: t=$T,v1=$SIGNATURE" -H "Idempotency-Key: order-7" -d "$BODY"`,
  ].join('\n')
}
