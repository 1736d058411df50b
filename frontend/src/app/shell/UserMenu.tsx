import { Avatar, Menu, Text, UnstyledButton } from '@mantine/core'
import { IconLogout, IconSettings } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useMe } from '@/api/me'
import { useCommands } from '@/ui/commands'
import { notifyError } from '@/ui/confirm'

export function UserMenu() {
  const me = useMe()
  const client = useQueryClient()
  const navigate = useNavigate()
  const signOut = async () => {
    try {
      await unwrap(api.DELETE('/api/v1/session'))
      await navigate({ to: '/sign-in' })
      client.clear()
      client.setQueryData(keys.me, null)
    } catch (error) {
      notifyError(error)
    }
  }
  useCommands(() => [{ id: 'sign-out', label: 'Sign out', group: 'Studio', icon: IconLogout, run: () => void signOut() }], [])
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton aria-label={`Your account: ${me?.name ?? ''}`} style={{ borderRadius: '50%' }} ml={4}>
          <Avatar size={32} radius="xl" color="water" variant="filled" name={me?.name} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} c="var(--mantine-color-text)" truncate>
            {me?.name}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {me?.email}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<IconSettings size={16} aria-hidden />} renderRoot={(props) => <Link to="/settings" {...props} />}>
          Your settings and tokens
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
