/** A step that is a pipeline: which version it uses, the way into it, and the newer one when there is one. */
import { Alert, Anchor, Button, Group, Text } from '@mantine/core'
import { IconArrowUp } from '@tabler/icons-react'
import { Link, useParams } from '@tanstack/react-router'

import * as edit from '../graph/edit'
import { newerVersion, pipelineOf } from '../graph/nested'
import type { Component } from '../graph/types'
import { useEditor, useEditorState } from './hooks'

export function NewerVersion({ id, component }: { id: string; component: Component }) {
  const editor = useEditor()
  const { project = '', pipeline = '' } = useParams({ strict: false })
  const catalog = useEditorState((state) => state.catalog)
  const readOnly = useEditorState((state) => state.readOnly)
  const used = pipelineOf(component.name)
  if (!used) return null
  const newer = newerVersion(catalog, component.name)
  const next = newer && catalog.components.get(newer.component)
  return (
    <>
      <Text size="sm">
        A pipeline as a step, version {used.version}.{' '}
        <Anchor inherit renderRoot={(props) => <Link to="/p/$project/pipelines/$pipeline" params={{ project, pipeline: used.slug }} search={{ version: used.version, from: pipeline }} {...props} />}>
          Open it
        </Anchor>
      </Text>
      {newer && next && (
        <Alert p="xs" color="blue" icon={<IconArrowUp aria-hidden />}>
          <Group justify="space-between" gap="xs">
            <Text size="sm">Version {newer.version} is newer.</Text>
            {!readOnly && (
              <Button size="compact-xs" onClick={() => editor.change(edit.setComponent(editor.graph, id, next), `Moved ${editor.title(id)} to version ${newer.version}`)}>
                Use version {newer.version}
              </Button>
            )}
          </Group>
        </Alert>
      )}
    </>
  )
}
