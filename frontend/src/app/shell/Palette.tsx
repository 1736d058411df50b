/** Search and commands (Ctrl+K): every registered command, and the things of the project by name. */
import { Spotlight, spotlight, type SpotlightActionData, type SpotlightActionGroupData } from '@mantine/spotlight'
import { IconApi, IconBox, IconDatabase, IconFolder, IconRoute, IconSearch, type Icon } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, type LinkProps } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useMe } from '@/api/me'
import { useAllCommands } from '@/ui/commands'
import { makeKeyHandler, spoken } from './shortcuts'

export const openPalette = () => spotlight.open()

type Thing = { slug: string; name: string }

export function Palette({ project }: { project?: string }) {
  const commands = useAllCommands()
  const navigate = useNavigate()
  const me = useMe()
  const [opened, setOpened] = useState(false)

  useEffect(() => {
    const handler = makeKeyHandler(() => commands)
    window.addEventListener('keydown', handler)
    return () => window.removeEventListener('keydown', handler)
  }, [commands])

  const things = useQuery({
    queryKey: [...keys.project(project ?? ''), 'palette'],
    enabled: opened && Boolean(project),
    staleTime: 20_000,
    queryFn: async () => {
      const path = { project: project! }
      const safe = <T,>(p: Promise<T>) => p.catch(() => null)
      const [datasets, pipelines, models, endpoints] = await Promise.all([
        safe(unwrap(api.GET('/api/v1/projects/{project}/datasets', { params: { path } }))),
        safe(unwrap(api.GET('/api/v1/projects/{project}/pipelines', { params: { path } }))),
        safe(unwrap(api.GET('/api/v1/projects/{project}/models', { params: { path } }))),
        safe(unwrap(api.GET('/api/v1/projects/{project}/endpoints', { params: { path } }))),
      ])
      const list = (answer: unknown): Thing[] => (Array.isArray(answer) ? (answer as Thing[]) : ((answer as { items?: Thing[] } | null)?.items ?? []))
      return { datasets: list(datasets), pipelines: list(pipelines), models: list(models), endpoints: list(endpoints) }
    },
  })

  const iconOf = (IconOf?: Icon) => (IconOf ? <IconOf size={18} stroke={1.7} aria-hidden /> : undefined)
  const groups = new Map<string, SpotlightActionData[]>()
  const add = (group: string, action: SpotlightActionData) => groups.set(group, [...(groups.get(group) ?? []), action])
  for (const c of commands) {
    if (c.hidden || c.disabled) continue
    add(c.group, { id: c.id, label: c.label, description: c.description, keywords: c.keywords, onClick: c.run, leftSection: iconOf(c.icon), rightSection: c.shortcut ? <kbd style={{ fontSize: 11, fontFamily: 'inherit', opacity: 0.75 }}>{spoken(c.shortcut)}</kbd> : undefined })
  }
  const open = (to: LinkProps['to'], params: Record<string, string>) => void navigate({ to, params: params as never })
  if (project && things.data) {
    const kinds: [string, Thing[], Icon, LinkProps['to'], string][] = [
      ['Data sets', things.data.datasets, IconDatabase, '/p/$project/datasets/$dataset', 'dataset'],
      ['Pipelines', things.data.pipelines, IconRoute, '/p/$project/pipelines/$pipeline', 'pipeline'],
      ['Models', things.data.models, IconBox, '/p/$project/models/$model', 'model'],
      ['Endpoints', things.data.endpoints, IconApi, '/p/$project/endpoints/$endpoint', 'endpoint'],
    ]
    for (const [group, items, icon, to, name] of kinds) for (const t of items) add(group, { id: `${name}:${t.slug}`, label: t.name, leftSection: iconOf(icon), onClick: () => open(to, { project, [name]: t.slug }) })
  }
  for (const m of me?.memberships ?? []) {
    if (m.project !== project) add('Projects', { id: `project:${m.project}`, label: m.project_name, leftSection: iconOf(IconFolder), onClick: () => open('/p/$project', { project: m.project }) })
  }
  // What belongs to this page first, the studio's own last.
  const rank = (group: string) => (group === 'Studio' ? 3 : group === 'Projects' ? 2 : group === 'Go to' ? 1 : 0)
  const actions: SpotlightActionGroupData[] = [...groups].sort(([a], [b]) => rank(a) - rank(b)).map(([group, list]) => ({ group, actions: list }))

  return (
    <Spotlight
      actions={actions}
      // The shell's own key handler opens it, so that the key is listed with all others.
      shortcut={null}
      nothingFound="Nothing of that name"
      highlightQuery
      scrollable
      centered={false}
      maxHeight={420}
      limit={40}
      onSpotlightOpen={() => setOpened(true)}
      onSpotlightClose={() => setOpened(false)}
      searchProps={{ leftSection: <IconSearch size={18} aria-hidden />, placeholder: 'Search or do…', 'aria-label': 'Search or do' }}
    />
  )
}
