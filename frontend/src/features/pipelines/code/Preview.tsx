/** What the text will be on the canvas: its title, its ports, its form. */
import { Box, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import { SchemaForm, type JsonSchema } from '@/ui/schema-form'

import { KindMark } from '../canvas/KindMark'
import { useEditorState } from '../canvas/hooks'
import { kindOf } from '../graph/catalog'
import type { Component, Port } from '../graph/types'
import classes from './code.module.css'

export function Preview({ component, stale }: { component: Component | null; stale: boolean }) {
  const [values, setValues] = useState<Record<string, unknown>>({})
  if (!component) {
    return (
      <Text size="sm" c="dimmed">
        Once the text is right you see here what it takes, what it gives and its form.
      </Text>
    )
  }
  const schema = component.parameters as JsonSchema
  const defaults = Object.fromEntries(Object.entries(schema.properties ?? {}).flatMap(([name, field]) => (field.default === undefined ? [] : [[name, field.default]])))
  return (
    <Stack gap="md" className={stale ? classes.stale : undefined} data-code-preview>
      <Box>
        <Text fw={620}>{component.title}</Text>
        {component.help && (
          <Text size="sm" c="dimmed" style={{ whiteSpace: 'pre-wrap' }}>
            {component.help}
          </Text>
        )}
      </Box>
      <Ports title="Takes" ports={component.inputs} none="Nothing: it can be the first step." />
      <Ports title="Gives" ports={component.outputs} none="Nothing." />
      <Box>
        <Text size="sm" fw={620} mb={6}>
          Form
        </Text>
        <SchemaForm schema={schema} value={{ ...defaults, ...values }} onChange={setValues} idPrefix="code-preview" />
      </Box>
    </Stack>
  )
}

function Ports({ title, ports, none }: { title: string; ports: readonly Port[]; none: string }) {
  const catalog = useEditorState((state) => state.catalog)
  return (
    <Box>
      <Text size="sm" fw={620} mb={4}>
        {title}
      </Text>
      {ports.length === 0 && (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      )}
      {ports.map((port) => {
        const kind = kindOf(catalog, port.kind)
        return (
          <Group key={port.name} gap={8} wrap="nowrap">
            <KindMark color={kind.color} shape={kind.shape} hollow={!port.required} />
            <Text size="sm">
              {port.title}{' '}
              <Text span size="xs" c="dimmed">
                {kind.title}
                {port.many ? ' · several' : ''}
                {port.required ? '' : ' · optional'}
              </Text>
            </Text>
          </Group>
        )
      })}
    </Box>
  )
}
