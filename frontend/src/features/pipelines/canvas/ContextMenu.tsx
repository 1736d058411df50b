import { Menu } from '@mantine/core'

import { actionsAt } from '../actions'
import { useEditor, useEditorState } from './hooks'
import { Keys } from './Keys'

const ROW = 31

/** The menu of the right mouse button: the registry's commands for what lies under the pointer. */
export function ContextMenu() {
  const editor = useEditor()
  const menu = useEditorState((state) => state.menu)
  if (!menu) return null
  const actions = actionsAt(menu.on).filter((action) => action.available(editor))
  // Near the lower edge it opens higher, so that every command is in view.
  const top = Math.max(8, Math.min(menu.y, window.innerHeight - actions.length * ROW - 24))
  return (
    <Menu opened onChange={(opened) => !opened && editor.set({ menu: null })} position="bottom-start" offset={2} width={310} returnFocus={false}>
      <Menu.Target>
        <span style={{ position: 'fixed', left: menu.x, top, width: 1, height: 1 }} aria-hidden />
      </Menu.Target>
      <Menu.Dropdown>
        {actions.map((action) => (
          <Menu.Item key={action.id} py={5} leftSection={<action.icon size={16} aria-hidden />} rightSection={<Keys keys={action.keys[0]} />} onClick={() => action.run(editor)}>
            {action.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
