/** What a step needs of the machine that runs it: a GPU, memory, labels. Nothing said: any host will do. */
import { Alert, Checkbox, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { IconServerOff } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'

import * as edit from '../graph/edit'
import { needsWords } from '../graph/flow'
import type { Component, NeedsSpec, Step } from '../graph/types'
import { useEditor, useEditorState } from './hooks'

const LABEL = /^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?=[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const written = (labels: NeedsSpec['labels']) => Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`).join(', ')

export function Needs({ id, step, component }: { id: string; step: Step; component: Component }) {
  const editor = useEditor()
  const readOnly = useEditorState((state) => state.readOnly)
  const needs = step.needs ?? {}
  const hosts = useQuery({ queryKey: keys.hosts, queryFn: () => unwrap(api.GET('/api/v1/hosts')), staleTime: 10_000 })
  const set = (change: { [part in keyof NeedsSpec]?: NeedsSpec[part] | undefined }) => {
    const next = Object.fromEntries(Object.entries({ ...needs, ...change }).filter(([, one]) => one !== undefined && !(typeof one === 'object' && Object.keys(one).length === 0))) as NeedsSpec
    editor.change(edit.setFlow(editor.graph, id, { needs: Object.keys(next).length > 0 ? next : undefined }), `Changed what ${editor.title(id)} needs`, `needs:${id}`)
  }
  const likes = component.resources === 'gpu'
  const gpu = needs.gpu === undefined ? '' : needs.gpu === 0 ? 'none' : 'some'
  const fits = (host: NonNullable<typeof hosts.data>[number]) =>
    Object.entries(needs.labels ?? {}).every(([name, value]) => host.labels[name] === value) && host.devices.length >= (needs.gpu ?? 0) && host.memory_bytes >= (needs.memory_gb ?? 0) * 1e9
  const fitting = hosts.data?.filter(fits)
  return (
    <Stack gap="sm" role="group" aria-label="What it needs">
      <div>
        <Text size="sm" fw={600}>
          What it needs
        </Text>
        <Text size="xs" c="dimmed">
          It runs only on a host that has all of this, and waits while there is none.
        </Text>
      </div>
      {likes ? (
        <Select
          label="GPU"
          allowDeselect={false}
          disabled={readOnly}
          data={[
            { value: '', label: 'One where there is one, else the CPU' },
            { value: 'some', label: 'Always' },
            { value: 'none', label: 'Never' },
          ]}
          value={gpu}
          onChange={(value) => set({ gpu: value === 'some' ? 1 : value === 'none' ? 0 : undefined })}
        />
      ) : (
        needs.gpu !== undefined && <Checkbox label="Needs a GPU (it does not use one)" checked disabled={readOnly} onChange={() => set({ gpu: undefined })} />
      )}
      {gpu === 'some' && likes && <NumberInput label="How many GPUs" min={1} max={64} allowDecimal={false} value={needs.gpu ?? 1} disabled={readOnly} onChange={(value) => set({ gpu: Math.min(64, Math.max(1, Number(value) || 1)) })} />}
      <NumberInput label="Memory" description="Set aside on the host while the step runs." suffix=" GB" min={0} max={100_000} decimalScale={3} placeholder="No matter" value={needs.memory_gb ?? ''} disabled={readOnly} onChange={(value) => set({ memory_gb: Number(value) > 0 ? Number(value) : undefined })} />
      <Labels key={id} value={needs.labels} readOnly={readOnly} known={[...new Set((hosts.data ?? []).flatMap((host) => Object.entries(host.labels).map(([name, value]) => `${name}=${value}`)))]} onChange={(labels) => set({ labels })} />
      {step.needs && fitting?.length === 0 && (
        <Alert variant="light" color="yellow" p="xs" icon={<IconServerOff size={16} aria-hidden />}>
          No host has {needsWords(needs)} now. The step would wait.
        </Alert>
      )}
    </Stack>
  )
}

function Labels({ value, readOnly, known, onChange }: { value: NeedsSpec['labels']; readOnly: boolean; known: string[]; onChange: (labels: NeedsSpec['labels']) => void }) {
  const [text, setText] = useState<string | null>(null)
  const shown = text ?? written(value)
  const words = shown.split(/[\s,]+/).filter(Boolean)
  const wrong = words.find((one) => !LABEL.test(one))
  return (
    <TextInput
      label="Labels of the host"
      description={known.length > 0 ? `There is: ${known.join(', ')}.` : 'No host has labels yet.'}
      placeholder="site=factory-3"
      value={shown}
      readOnly={readOnly}
      error={text !== null && wrong ? `“${wrong}” is no label; write name=value.` : undefined}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={() => {
        if (text === null || wrong) return
        onChange(Object.fromEntries(words.map((one) => one.split('=', 2) as [string, string])))
        setText(null)
      }}
    />
  )
}
