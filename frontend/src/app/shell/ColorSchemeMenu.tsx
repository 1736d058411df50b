import { ActionIcon, Menu, Tooltip, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import { IconCheck, IconDeviceDesktop, IconMoon, IconSun, type Icon } from '@tabler/icons-react'
import { useCommands } from '@/ui/commands'

const SCHEMES: { value: MantineColorScheme; label: string; icon: Icon }[] = [
  { value: 'auto', label: 'As the system', icon: IconDeviceDesktop },
  { value: 'light', label: 'Light', icon: IconSun },
  { value: 'dark', label: 'Dark', icon: IconMoon },
]

export function ColorSchemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const current = SCHEMES.find((s) => s.value === colorScheme) ?? SCHEMES[0]!
  useCommands(
    () => SCHEMES.map((s) => ({ id: `scheme.${s.value}`, label: `Colours: ${s.label.toLowerCase()}`, group: 'Studio', icon: s.icon, run: () => setColorScheme(s.value) })),
    [setColorScheme],
  )
  return (
    <Menu position="bottom-end" width={180}>
      <Menu.Target>
        <Tooltip label="Colours">
          <ActionIcon aria-label={`Colours: ${current.label}`}>
            <current.icon size={19} stroke={1.7} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {SCHEMES.map((s) => (
          <Menu.Item key={s.value} leftSection={<s.icon size={16} aria-hidden />} rightSection={s.value === colorScheme ? <IconCheck size={14} aria-label="chosen" /> : null} onClick={() => setColorScheme(s.value)}>
            {s.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
