/** The frame around every page behind the sign-in: navigation, top bar, content; a bottom bar on a phone. */
import { ActionIcon, Anchor, Box, Drawer, Group, Indicator, NavLink, Stack, Text, Tooltip, UnstyledButton } from '@mantine/core'
import { useDisclosure, useLocalStorage } from '@mantine/hooks'
import { IconDots, IconFolders, IconHelp, IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand, IconSearch, IconTemplate, IconUserCog } from '@tabler/icons-react'
import { Link, useLocation, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, type ReactNode } from 'react'
import { useMe } from '@/api/me'
import { Logo } from '@/ui/Logo'
import { useCommands } from '@/ui/commands'
import { ApprovalCount, useApprovals } from './Approvals'
import { ColorSchemeMenu } from './ColorSchemeMenu'
import { NAV, type NavItem } from './nav'
import { Palette, openPalette } from './Palette'
import { ProjectSwitcher } from './ProjectSwitcher'
import classes from './Shell.module.css'
import { ShortcutsHelp } from './ShortcutsHelp'
import { spoken } from './shortcuts'
import { UserMenu } from './UserMenu'

/** The canvas and the annotation editor fill their frame to the edges; every other page has margins and a readable width. */
function isFullBleed(path: string): boolean {
  return /^\/p\/[^/]+\/(pipelines\/[^/]+|labels\/[^/]+\/(label|review))\/?$/.test(path)
}

export function Shell({ children }: { children: ReactNode }) {
  const { project: named } = useParams({ strict: false })
  const me = useMe()
  // No way into what is not there: the navigation belongs to projects one is in.
  const project = me === null || me.memberships.some((m) => m.project === named) ? named : undefined
  const location = useLocation()
  const navigate = useNavigate()
  const wide = useLocalStorage({ key: 'headrace.nav-small', defaultValue: false, getInitialValueInEffect: false })
  // The canvas needs the room: there the navigation begins narrow, and is remembered on its own.
  const canvas = useLocalStorage({ key: 'headrace.nav-small-canvas', defaultValue: true, getInitialValueInEffect: false })
  const [small, setSmall] = isFullBleed(location.pathname) ? canvas : wide
  const [more, { open: openMore, close: closeMore }] = useDisclosure(false)
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure(false)
  const main = useRef<HTMLElement>(null)
  const waiting = useApprovals(project)

  // A new page is announced and read from its beginning, as after a full load; the first page keeps the browser's own order.
  const first = useRef(true)
  useEffect(() => {
    if (first.current) first.current = false
    else main.current?.focus({ preventScroll: true })
  }, [location.pathname])

  useCommands(
    () => [
      { id: 'palette', label: 'Search and commands', group: 'Studio', shortcut: 'mod+K', hidden: true, run: openPalette },
      { id: 'help.shortcuts', label: 'Keyboard shortcuts', group: 'Studio', shortcut: '?', icon: IconHelp, run: openHelp },
      { id: 'nav.projects', label: 'All projects', group: 'Go to', icon: IconFolders, run: () => void navigate({ to: '/' }) },
      { id: 'nav.personal', label: 'Your settings and tokens', group: 'Go to', icon: IconUserCog, run: () => void navigate({ to: '/settings' }) },
      ...(project
        ? [
            ...NAV.map((item) => ({ id: `nav.${item.key}`, label: item.label, group: 'Go to', shortcut: `g ${item.key}`, icon: item.icon, run: () => void navigate({ to: item.to, params: { project } as never }) })),
            { id: 'nav.templates', label: 'Pipeline templates', group: 'Go to', shortcut: 'g t', icon: IconTemplate, run: () => void navigate({ to: '/p/$project/templates', params: { project } }) },
            { id: 'nav.small', label: small ? 'Widen the navigation' : 'Narrow the navigation', group: 'Studio', shortcut: '[', icon: small ? IconLayoutSidebarLeftExpand : IconLayoutSidebarLeftCollapse, run: () => setSmall((s) => !s) },
          ]
        : []),
    ],
    [project, small],
  )

  const active = (item: NavItem) => {
    const path = String(item.to).replace('$project', project ?? '')
    return item.exact ? location.pathname.replace(/\/$/, '') === path : location.pathname.startsWith(path) || (item.key === 'p' && location.pathname.startsWith(`/p/${project}/templates`))
  }

  return (
    <Box className={classes.shell} data-project={project ? true : undefined} data-small={small || undefined}>
      <a href="#main" className={classes.skip} onClick={(event) => { event.preventDefault(); main.current?.focus() }}>
        Skip to the content
      </a>
      {project && (
        <nav className={classes.nav} aria-label="Project">
          <Link to="/" className={classes.brand} aria-label="Headrace: all projects">
            <Logo />
            {!small && <Text fw={680} size="md" c="var(--mantine-color-text)">Headrace</Text>}
          </Link>
          <Stack gap={2} p="xs" flex={1} className={classes.links}>
            {NAV.map((item) => (
              <Tooltip key={item.key} label={item.label} position="right" disabled={!small}>
                <NavLink
                  className={classes.link}
                  active={active(item)}
                  label={small ? undefined : item.label}
                  rightSection={item.key === 'a' && <ApprovalCount count={waiting} />}
                  aria-label={item.key === 'a' && waiting > 0 ? `${item.label}, ${waiting} waiting` : item.label}
                  aria-current={active(item) ? 'page' : undefined}
                  leftSection={<item.icon size={19} stroke={1.7} aria-hidden />}
                  renderRoot={(props) => <Link to={item.to} params={{ project } as never} activeOptions={{ exact: item.exact }} {...props} />}
                />
              </Tooltip>
            ))}
          </Stack>
          <Box p="xs">
            <Tooltip label={`${small ? 'Widen' : 'Narrow'} the navigation ( [ )`} position="right">
              <ActionIcon aria-label={small ? 'Widen the navigation' : 'Narrow the navigation'} aria-expanded={!small} onClick={() => setSmall(!small)}>
                {small ? <IconLayoutSidebarLeftExpand size={19} stroke={1.7} aria-hidden /> : <IconLayoutSidebarLeftCollapse size={19} stroke={1.7} aria-hidden />}
              </ActionIcon>
            </Tooltip>
          </Box>
        </nav>
      )}
      <header className={classes.top}>
        <Group gap="xs" wrap="nowrap" miw={0}>
          {!project && (
            <Link to="/" className={classes.brandTop} aria-label="Headrace: all projects">
              <Logo />
              <Text fw={680} c="var(--mantine-color-text)">Headrace</Text>
            </Link>
          )}
          {project && (
            <Link to="/" className={classes.brandPhone} aria-label="Headrace: all projects">
              <Logo />
            </Link>
          )}
          {project && <ProjectSwitcher project={project} />}
        </Group>
        <Group gap={4} wrap="nowrap">
          <UnstyledButton className={classes.search} onClick={openPalette} aria-label="Search and commands" aria-keyshortcuts="Control+K">
            <IconSearch size={16} aria-hidden />
            <span className={classes.searchText}>Search or do…</span>
            <kbd className={classes.kbd}>{spoken('mod+K')}</kbd>
          </UnstyledButton>
          <Tooltip label="Keyboard shortcuts ( ? )">
            <ActionIcon aria-label="Keyboard shortcuts" onClick={openHelp} visibleFrom="sm">
              <IconHelp size={19} stroke={1.7} aria-hidden />
            </ActionIcon>
          </Tooltip>
          <ColorSchemeMenu />
          <UserMenu />
        </Group>
      </header>
      <main id="main" ref={main} tabIndex={-1} className={classes.main} data-full-bleed={isFullBleed(location.pathname) || undefined} data-scroll-restoration-id="main">
        <div className={classes.content}>{children}</div>
      </main>
      {project && (
        <nav className={classes.bottom} aria-label="Project pages">
          {NAV.slice(0, 4).map((item) => (
            <Link key={item.key} to={item.to} params={{ project } as never} className={classes.tab} activeOptions={{ exact: item.exact }} data-active={active(item) || undefined} aria-current={active(item) ? 'page' : undefined}>
              <item.icon size={21} stroke={1.7} aria-hidden />
              {item.label}
            </Link>
          ))}
          <UnstyledButton className={classes.tab} data-active={NAV.slice(4).some(active) || undefined} onClick={openMore} aria-haspopup="dialog">
            <Indicator disabled={waiting === 0} size={9} offset={2} color="yellow">
              <IconDots size={21} stroke={1.7} aria-hidden style={{ display: 'block' }} />
            </Indicator>
            More
          </UnstyledButton>
        </nav>
      )}
      <Drawer opened={more} onClose={closeMore} position="bottom" size="20rem" title="More" radius="md">
        <Stack gap={2} pb="md">
          {NAV.slice(4).map((item) => (
            <NavLink
              key={item.key}
              className={classes.link}
              active={active(item)}
              label={item.label}
              rightSection={item.key === 'a' && <ApprovalCount count={waiting} />}
              onClick={closeMore}
              leftSection={<item.icon size={20} stroke={1.7} aria-hidden />}
              renderRoot={(props) => <Link to={item.to} params={{ project } as never} activeOptions={{ exact: item.exact }} {...props} />}
            />
          ))}
          <Anchor size="sm" c="dimmed" mt="sm" px="sm" onClick={closeMore} renderRoot={(props) => <Link to="/" {...props} />}>
            All projects
          </Anchor>
        </Stack>
      </Drawer>
      <ShortcutsHelp opened={help} onClose={closeHelp} />
      <Palette project={project} />
    </Box>
  )
}
