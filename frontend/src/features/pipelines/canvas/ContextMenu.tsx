import { Menu } from '@mantine/core'

import { actionsAt } from '../actions'
import { useEditor, useEditorState } from './hooks'
import { Keys } from './Keys'

/** The menu of the right mouse button: the registry's commands for what lies under the pointer. */
export function ContextMenu() {
  const editor = useEditor()
  const menu = useEditorState((state) => state.menu)
  if (!menu) return null
  return (
    <Menu opened onChange={(opened) => !opened && editor.set({ menu: null })} position="bottom-start" offset={2} width={270} returnFocus={false}>
      <Menu.Target>
        <span style={{ position: 'fixed', left: menu.x, top: menu.y, width: 1, height: 1 }} aria-hidden />
      </Menu.Target>
      <Menu.Dropdown>
        {actionsAt(menu.on)
          .filter((action) => action.available(editor))
          .map((action) => (
            <Menu.Item key={action.id} leftSection={<action.icon size={16} aria-hidden />} rightSection={<Keys keys={action.keys[0]} />} onClick={() => action.run(editor)}>
              {action.label}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  )
}
