/** Labels in: a file is looked at first; what fits becomes annotations of whoever imports it, all of it or none. */
import { Alert, Button, FileInput, Group, Modal, Progress, Select, Stack, Table, Text } from '@mantine/core'
import { IconCheck, IconFileImport } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useProjectSlug } from '@/api/me'
import { notifyDone } from '@/ui/confirm'
import { ErrorNotice, ProblemList } from '@/ui/ErrorNotice'
import { labelFormatsQuery, useRefresh, type LabelSchema } from '../data'
import { apply, bring, letGo, type LabelFormat, type LabelImport } from './bring'

export function ImportDialog({ schema, opened, onClose }: { schema: LabelSchema; opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Import labels" size="lg">
      {opened && <Steps schema={schema} onClose={onClose} />}
    </Modal>
  )
}

/** The format that a file's ending suggests; JSON and zip may be several, and the person says which. */
const fits = (formats: LabelFormat[], name: string) => formats.filter((one) => one.reads.some((ending) => name.toLowerCase().endsWith(ending)))

function Steps({ schema, onClose }: { schema: LabelSchema; onClose: () => void }) {
  const project = useProjectSlug()
  const refresh = useRefresh(project)
  const where = { project, label_schema: schema.slug }
  const formats = useQuery(labelFormatsQuery(project, schema.slug))
  const [file, setFile] = useState<File | null>(null)
  const [format, setFormat] = useState<string | null>(null)
  const [sent, setSent] = useState<number | null>(null)
  const [found, setFound] = useState<LabelImport | null>(null)
  const [error, setError] = useState<unknown>(null)
  const busy = sent !== null
  const known = formats.data ?? []
  const fitting = file ? fits(known, file.name) : known

  const attempt = async (work: () => Promise<void>) => {
    setError(null)
    setSent(0)
    try {
      await work()
    } catch (failure) {
      setError(failure)
    } finally {
      setSent(null)
    }
  }
  const look = () =>
    attempt(async () => {
      if (file && format) setFound(await bring(where, file, format, setSent))
    })
  const keep = () =>
    attempt(async () => {
      if (!found) return
      const done = await apply(where, found.id)
      await refresh()
      notifyDone(`Imported ${((done.report?.new ?? 0) + (done.report?.changed ?? 0)).toLocaleString()} annotations.`)
      onClose()
    })
  const leave = () => {
    if (found) void letGo(where, found.id).catch(() => undefined)
    onClose()
  }
  const report = found?.report
  const kept = report ? report.new + report.changed : 0
  return (
    <Stack gap="md">
      {!report && (
        <>
          <FileInput
            data-autofocus
            label="File"
            description="It is looked at first; nothing is imported yet."
            placeholder="Choose a file"
            leftSection={<IconFileImport size={16} aria-hidden />}
            disabled={busy}
            value={file}
            onChange={(chosen) => {
              setFile(chosen)
              setError(null)
              const some = chosen ? fits(known, chosen.name) : []
              setFormat(some.length === 1 && some[0] ? some[0].name : (some.find((one) => one.name === format)?.name ?? null))
            }}
          />
          <Select label="Format" placeholder="Choose the format" disabled={busy} data={fitting.map((one) => ({ value: one.name, label: one.title }))} value={format} onChange={setFormat} error={file && fitting.length === 0 ? `No format reads ${file.name}.` : null} />
          <Text size="sm" c="dimmed">
            Items are matched by path, file name or the values of a row. What is imported counts as your own work: it takes a place of each item and is reviewed as any other.
          </Text>
        </>
      )}
      {report && <Report report={report} />}
      {busy && <Progress value={found || sent === 1 ? 100 : sent * 100} animated aria-label="Progress" />}
      <ErrorNotice error={formats.error ?? error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={leave} disabled={busy}>
          Cancel
        </Button>
        {report ? (
          <Button onClick={() => void keep()} loading={busy} disabled={kept === 0}>
            {kept === 0 ? 'Nothing to import' : `Import ${kept.toLocaleString()}`}
          </Button>
        ) : (
          <Button onClick={() => void look()} loading={busy} disabled={!file || !format}>
            Look at it
          </Button>
        )}
      </Group>
    </Stack>
  )
}

function Report({ report }: { report: NonNullable<LabelImport['report']> }) {
  const rows: [string, number][] = [
    ['New annotations', report.new],
    ['Change one of yours', report.changed],
    ['Yours already, unchanged', report.unchanged],
    ['Not in this queue', report.unmatched],
    ['Refused', report.refused],
    ['Further annotations of the same items, left out', report.more],
  ]
  const shown = rows.filter(([, count], n) => n === 0 || count > 0)
  const left = report.unmatched + report.refused
  return (
    <>
      <Table aria-label="What the file holds">
        <Table.Tbody>
          {shown.map(([what, count]) => (
            <Table.Tr key={what}>
              <Table.Td>{what}</Table.Td>
              <Table.Td ta="right">{count.toLocaleString()}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {left === 0 && (
        <Text size="sm" c="dimmed">
          <IconCheck size={14} aria-hidden /> Everything in the file fits.
        </Text>
      )}
      {report.problems.length > 0 && (
        <Alert color="yellow" title="Not taken">
          <ProblemList problems={report.problems.map((one) => ({ field: one.field ?? '', message: one.message, expected: one.expected ?? '' }))} limit={8} />
        </Alert>
      )}
    </>
  )
}
