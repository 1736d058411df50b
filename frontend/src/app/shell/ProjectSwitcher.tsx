import { Combobox, Group, Text, UnstyledButton, useCombobox } from '@mantine/core'
import { IconCheck, IconLayoutGrid, IconPlus, IconSelector } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useMe } from '@/api/me'
import classes from './ProjectSwitcher.module.css'

/** The project we are in; opens a searchable list of the others. */
export function ProjectSwitcher({ project }: { project: string }) {
  const me = useMe()
  const navigate = useNavigate()
  const [search, setSearch] = useState('')
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption()
      setSearch('')
    },
    onDropdownOpen: () => combobox.focusSearchInput(),
  })
  const memberships = me?.memberships ?? []
  const current = memberships.find((m) => m.project === project)
  const found = memberships.filter((m) => m.project_name.toLowerCase().includes(search.toLowerCase()))
  return (
    <Combobox
      store={combobox}
      width={280}
      position="bottom-start"
      onOptionSubmit={(value) => {
        combobox.closeDropdown()
        if (value === '::all') void navigate({ to: '/' })
        else if (value === '::new') void navigate({ to: '/', search: { new: true } })
        else void navigate({ to: '/p/$project', params: { project: value } })
      }}
    >
      <Combobox.Target targetType="button">
        <UnstyledButton className={classes.button} onClick={() => combobox.toggleDropdown()} aria-label={`Project: ${current?.project_name ?? project}. Change project`}>
          <Text size="sm" fw={600} truncate>
            {current?.project_name ?? project}
          </Text>
          <IconSelector size={16} aria-hidden className={classes.icon} />
        </UnstyledButton>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search value={search} onChange={(event) => setSearch(event.currentTarget.value)} placeholder="Find a project" aria-label="Find a project" />
        <Combobox.Options mah={280} style={{ overflowY: 'auto' }}>
          {found.map((m) => (
            <Combobox.Option key={m.project} value={m.project} active={m.project === project}>
              <Group justify="space-between" wrap="nowrap" gap="xs">
                <Text size="sm" truncate>
                  {m.project_name}
                </Text>
                <Group gap={6} wrap="nowrap">
                  <Text size="xs" c="dimmed">
                    {m.role}
                  </Text>
                  {m.project === project && <IconCheck size={14} aria-label="current" />}
                </Group>
              </Group>
            </Combobox.Option>
          ))}
          {found.length === 0 && <Combobox.Empty>No project of that name</Combobox.Empty>}
          <Combobox.Option value="::all" className={classes.first}>
            <Group gap="xs">
              <IconLayoutGrid size={16} aria-hidden />
              <Text size="sm">All projects</Text>
            </Group>
          </Combobox.Option>
          <Combobox.Option value="::new">
            <Group gap="xs">
              <IconPlus size={16} aria-hidden />
              <Text size="sm">New project</Text>
            </Group>
          </Combobox.Option>
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}
