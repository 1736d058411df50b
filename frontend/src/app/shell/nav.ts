import { IconApi, IconBolt, IconBox, IconDatabase, IconInbox, IconLayoutDashboard, IconPlayerPlay, IconRoute, IconServer, IconSettings, IconTags, type Icon } from '@tabler/icons-react'
import type { LinkProps } from '@tanstack/react-router'

export type NavItem = { label: string; to: LinkProps['to']; icon: Icon; key: string; exact?: boolean }

/** The pages of a project in the order in which work flows through them. `key` is pressed after `g`. */
export const NAV: NavItem[] = [
  { label: 'Overview', to: '/p/$project', icon: IconLayoutDashboard, key: 'o', exact: true },
  { label: 'Data sets', to: '/p/$project/datasets', icon: IconDatabase, key: 'd' },
  { label: 'Labels', to: '/p/$project/labels', icon: IconTags, key: 'l' },
  { label: 'Pipelines', to: '/p/$project/pipelines', icon: IconRoute, key: 'p' },
  { label: 'Runs', to: '/p/$project/runs', icon: IconPlayerPlay, key: 'r' },
  { label: 'Triggers', to: '/p/$project/triggers', icon: IconBolt, key: 't' },
  { label: 'Approvals', to: '/p/$project/approvals', icon: IconInbox, key: 'a' },
  { label: 'Models', to: '/p/$project/models', icon: IconBox, key: 'm' },
  { label: 'Endpoints', to: '/p/$project/endpoints', icon: IconApi, key: 'e' },
  { label: 'Workers', to: '/p/$project/workers', icon: IconServer, key: 'w' },
  { label: 'Settings', to: '/p/$project/settings', icon: IconSettings, key: 's' },
]
