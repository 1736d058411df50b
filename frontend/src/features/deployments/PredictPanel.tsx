/** Ask an endpoint in the page: a form made from its model's input, or an image to drop. */
import { Box, Button, Group, Progress, Stack, Text } from '@mantine/core'
import { Dropzone } from '@mantine/dropzone'
import '@mantine/dropzone/styles.css'
import { IconPhoto, IconSparkles } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'
import { api, isApiError, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { number, percent } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { SchemaForm } from '@/ui/schema-form'
import classes from './deployments.module.css'
import { FoundBoxes } from './FoundBoxes'
import { exampleRow, inputSchema, instanceOf, type Manifest } from './form'
import { SpansAnswer } from './SpansAnswer'

const MAX_IMAGE = 20 * 1024 * 1024

export function PredictPanel({ project, endpoint, manifest }: { project: string; endpoint: string; manifest: Manifest }) {
  const client = useQueryClient()
  const [picture, setPicture] = useState('')
  const ask = useMutation({
    mutationFn: (instance: Record<string, unknown>) =>
      unwrap(
        api.POST('/api/v1/projects/{project}/endpoints/{endpoint}/predict', {
          params: { path: { project, endpoint } },
          body: { instances: [instance as Record<string, never>] },
        }),
      ),
    onSettled: () => void client.invalidateQueries({ queryKey: [...keys.endpoints(project), endpoint] }),
  })
  const image = manifest.input?.kind === 'image'
  if (!manifest.input) return <Text c="dimmed">As soon as a model answers here, it can be asked in this place.</Text>
  return (
    <Stack gap="md">
      {image ? <ImageInput
          busy={ask.isPending}
          small={ask.data?.predictions[0]?.boxes != null}
          label={manifest.output?.kind === 'detection' ? 'Image to find things in' : 'Image to classify'}
          onAsk={(data, preview) => {
            setPicture(preview)
            ask.mutate({ image: data })
          }}
        /> : <RowInput manifest={manifest} error={ask.error} busy={ask.isPending} onAsk={(row) => ask.mutate(row)} />}
      {(image || !isApiError(ask.error) || ask.error.problems.length === 0) && <ErrorNotice error={ask.error} />}
      <div aria-live="polite">{ask.data && !ask.error && <Answer answer={ask.data} manifest={manifest} asked={ask.variables} picture={picture} />}</div>
    </Stack>
  )
}

function RowInput({ manifest, error, busy, onAsk }: { manifest: Manifest; error: unknown; busy: boolean; onAsk: (row: Record<string, unknown>) => void }) {
  const schema = useMemo(() => inputSchema(manifest), [manifest])
  const [row, setRow] = useState<Record<string, unknown>>(() => exampleRow(manifest))
  const errors: Record<string, string> = {}
  if (isApiError(error)) for (const [field, message] of Object.entries(error.fields)) errors[field.replace(/^instances\.0\./, '')] = message
  return (
    <form
      // What is missing or wrong is told at its field, by the form and by the model; the browser's own bubble would hide both.
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        onAsk(instanceOf(manifest, row))
      }}
    >
      <Box className={classes.fields} data-many={(manifest.input?.columns?.length ?? 0) > 24 || undefined}>
        <SchemaForm schema={schema} value={row} onChange={setRow} errors={errors} idPrefix="ask" />
      </Box>
      <Group mt="md" gap="xs">
        <Button type="submit" loading={busy} leftSection={<IconSparkles size={16} aria-hidden />}>
          Predict
        </Button>
        <Button variant="default" onClick={() => setRow(exampleRow(manifest))}>
          Back to the example
        </Button>
      </Group>
    </form>
  )
}

function ImageInput({ busy, small, label, onAsk }: { busy: boolean; small: boolean; label: string; onAsk: (base64: string, preview: string) => void }) {
  const [preview, setPreview] = useState<string | null>(null)
  const [problem, setProblem] = useState('')
  useEffect(() => () => void (preview && URL.revokeObjectURL(preview)), [preview])
  const take = (file: File | undefined) => {
    if (!file) return
    setProblem('')
    const made = URL.createObjectURL(file)
    setPreview(made)
    const reader = new FileReader()
    reader.onload = () => onAsk(String(reader.result).split(',')[1] ?? '', made)
    reader.onerror = () => setProblem('The file could not be read.')
    reader.readAsDataURL(file)
  }
  return (
    <Stack gap="sm">
      <Dropzone
        onDrop={(files) => take(files[0])}
        onReject={(rejected) => setProblem(rejected[0]?.errors[0]?.code === 'file-too-large' ? 'The file is larger than 20 MB.' : 'That is not an image file.')}
        accept={['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp', 'image/tiff']}
        maxSize={MAX_IMAGE}
        multiple={false}
        loading={busy}
        inputProps={{ 'aria-label': label }}
      >
        <Stack align="center" gap={6} py="md" style={{ pointerEvents: 'none' }}>
          {preview && !small ? <img src={preview} alt="What is asked" style={{ maxHeight: 180, maxWidth: '100%', minHeight: 84, imageRendering: 'auto' }} /> : <IconPhoto size={36} stroke={1.5} aria-hidden />}
          <Text size="sm">Drop an image here, or click to choose one</Text>
        </Stack>
      </Dropzone>
      {problem && (
        <Text size="sm" c="red" role="alert">
          {problem}
        </Text>
      )}
    </Stack>
  )
}

function Answer({ answer, manifest, asked, picture }: { answer: Schemas['PredictOut']; manifest: Manifest; asked: Record<string, unknown>; picture: string }) {
  const first = answer.predictions[0]
  if (!first) return null
  const labels = (manifest.output?.labels ?? []).map(String)
  if (first.boxes || first.spans) {
    const text = asked[manifest.input?.columns?.[0]?.name ?? '']
    return (
      <Box data-testid="answer">
        <Text size="xs" c="dimmed">
          Answer of {answer.model_version}
        </Text>
        {first.boxes && <FoundBoxes picture={picture} labels={labels} boxes={first.boxes} unsure={first.unsure ?? []} />}
        {first.spans && <SpansAnswer text={typeof text === 'string' ? text : ''} spans={first.spans} labels={labels} score={first.score ?? 1} unread={first.unread === true} />}
      </Box>
    )
  }
  const ranked = Object.entries(first.probabilities ?? {}).sort((a, b) => b[1] - a[1])
  const narrow = ranked.every(([label]) => label.length <= 4)
  return (
    <Box data-testid="answer">
      <Text size="xs" c="dimmed">
        Answer of {answer.model_version}
      </Text>
      <Text size="xl" fw={700}>
        {first.label ?? number(first.value, 6)}
      </Text>
      {ranked.slice(0, 10).map(([label, share]) => (
        <Group key={label} gap="sm" wrap="nowrap" mt={4}>
          <Text size="sm" w={narrow ? 40 : 120} truncate>
            {label}
          </Text>
          <Progress value={share * 100} flex={1} aria-label={`${label}: ${percent(share)}`} />
          <Text size="sm" w={62} ta="right">
            {percent(share)}
          </Text>
        </Group>
      ))}
    </Box>
  )
}
