import { Button, Code, Group, HoverCard, Menu, Modal, Stack, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconArrowDown, IconArrowUp, IconCheck, IconChevronDown, IconFilter, IconHelp, IconSearch, IconTag, IconTagOff, IconX } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { api, isApiError, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { plural } from '@/lib/format'
import { DataTable, sortParam, useWindow, type Sort, type TableColumn } from '@/ui/data-table'
import { EmptyState } from '@/ui/EmptyState'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { COLUMN_TYPE, TypeMark, type ColumnType } from '../look'
import { cellText, columnWidth } from './cells'
import { useMaking } from './making'
import { MakingBar } from './MakingBar'
import classes from './TableView.module.css'

type Version = Schemas['DatasetVersionOut']
type Cell = unknown
const TYPES: ColumnType[] = ['integer', 'number', 'boolean', 'category', 'text', 'datetime', 'json']

/** The rows of a version: a window at a time, sorted, searched and filtered on the server. In a draft the head corrects the types. */
export function TableView({ project, dataset, version, editable }: { project: string; dataset: string; version: Version; editable: boolean }) {
  const client = useQueryClient()
  const [sort, setSort] = useState<Sort | null>(null)
  const [search, setSearch] = useState('')
  const [filter, setFilter] = useState('')
  const [applied, setApplied] = useState('')
  const [wanted] = useDebouncedValue(search.trim(), 300)
  const [open, setOpen] = useState<{ index: number; row: Cell[] } | null>(null)
  const path = { project, dataset, number: version.number }
  const { progress, made } = useMaking()
  // The types are part of the key: a draft's rows read differently after a correction.
  const types = version.columns.map((c) => `${c.name}:${c.type}`).join('|')
  const fetchRows = useCallback(
    (offset: number, limit: number, signal: AbortSignal) =>
      made<Schemas['RowsOut']>(
        () =>
          unwrap(
            api.GET('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/rows', {
              params: { path: { project, dataset, number: version.number }, query: { offset, limit, search: wanted || undefined, sort: sortParam(sort), filter: applied || undefined, wait: 1 } },
              signal,
            }),
          ),
        signal,
      ),
    [made, project, dataset, version.number, wanted, sort, applied],
  )
  const rows = useWindow<Cell[], Schemas['RowsOut']>([...keys.datasets(project), dataset, 'rows', version.number, types, wanted, sortParam(sort), applied], fetchRows)

  // What the table showed before a large sort or search began, to go back to.
  const now = useMemo(() => ({ sort, search: wanted, filter: applied }), [sort, wanted, applied])
  const shown = useRef(now)
  useEffect(() => {
    if (rows.first && !rows.refreshing) shown.current = now
  }, [rows.first, rows.refreshing, now])
  const cancel = () => {
    setSort(shown.current.sort)
    setSearch(shown.current.search)
    setFilter(shown.current.filter)
    setApplied(shown.current.filter)
  }

  const correct = useMutation({
    mutationFn: (body: Schemas['ColumnsIn']) => unwrap(api.PUT('/api/v1/projects/{project}/datasets/{dataset}/versions/{number}/columns', { params: { path }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: [...keys.datasets(project), dataset] }),
  })
  const setType = (name: string, type: ColumnType) => correct.mutate({ columns: version.columns.map((c) => (c.name === name ? { ...c, type } : c)), label_column: version.label_column })
  const setLabel = (name: string | null) => correct.mutate({ columns: version.columns, label_column: name })

  const columns: TableColumn<Cell[]>[] = useMemo(
    () =>
      version.columns.map((c, i) => ({
        key: c.name,
        title: c.name,
        width: columnWidth(c.name, c.type),
        grow: c.type === 'text' || c.type === 'json' ? 2 : 1,
        align: c.type === 'integer' || c.type === 'number' ? ('right' as const) : ('left' as const),
        sortable: false,
        head: (
          <Head
            column={c}
            label={version.label_column === c.name}
            editable={editable}
            busy={correct.isPending}
            sort={sort?.key === c.name ? sort : null}
            onSort={setSort}
            onType={(type) => setType(c.name, type)}
            onLabel={() => setLabel(version.label_column === c.name ? null : c.name)}
          />
        ),
        render: (row: Cell[]) => {
          const value = row[i]
          return value === null || value === undefined ? (
            <span className={classes.missing}>missing</span>
          ) : (
            <span className={classes.value} title={typeof value === 'string' && value.length > 24 ? value : undefined}>
              {cellText(value, c.type)}
            </span>
          )
        },
      })),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the two functions only close over what is listed
    [version.columns, version.label_column, editable, sort, correct.isPending],
  )
  const filterError = isApiError(rows.error) && applied && [400, 422].includes(rows.error.status) ? rows.error : null
  const narrowed = Boolean(wanted || applied)
  return (
    <Stack gap="sm">
      <Group gap="sm" align="flex-start">
        <TextInput w={{ base: '100%', xs: 240 }} leftSection={<IconSearch size={16} aria-hidden />} placeholder="Search all columns" aria-label="Search all columns" value={search} onChange={(e) => setSearch(e.currentTarget.value)} />
        <form
          className={classes.filter}
          onSubmit={(event) => {
            event.preventDefault()
            setApplied(filter.trim())
          }}
        >
          <TextInput
            leftSection={<IconFilter size={16} aria-hidden />}
            placeholder={exampleFilter(version.columns)}
            aria-label="Filter by an expression"
            spellCheck={false}
            autoComplete="off"
            value={filter}
            error={filterError ? filterError.hint && !filterError.message.includes(filterError.hint) ? `${filterError.message} ${filterError.hint}` : filterError.message : undefined}
            styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12.5 } }}
            onChange={(e) => {
              setFilter(e.currentTarget.value)
              if (e.currentTarget.value.trim() === '') setApplied('')
            }}
            rightSectionWidth={64}
            rightSection={
              <Group gap={2} wrap="nowrap">
                <FilterHelp />
                {applied && (
                  <UnstyledButton
                    aria-label="Take the filter away"
                    className={classes.clear}
                    onClick={() => {
                      setFilter('')
                      setApplied('')
                    }}
                  >
                    <IconX size={15} aria-hidden />
                  </UnstyledButton>
                )}
              </Group>
            }
          />
          <Button type="submit" variant="default" disabled={filter.trim() === applied}>
            Filter
          </Button>
        </form>
        <Text size="sm" c="dimmed" className="tabular" role="status" mt={8}>
          {narrowed && !rows.error ? `${plural(rows.total, 'row')} of ${version.item_count.toLocaleString('en')}` : ''}
        </Text>
      </Group>
      {!filterError && <ErrorNotice error={rows.error} onRetry={() => void rows.refetch()} />}
      <ErrorNotice error={correct.error} title={correct.error ? 'The types were not changed' : undefined} />
      <MakingBar progress={progress} what={`${sort && sort !== shown.current.sort ? `Sorting by ${sort.key}` : 'Looking through'} ${plural(version.item_count, 'row')}`} onCancel={cancel} />
      <DataTable<Cell[]>
        label="Rows"
        columns={columns}
        total={rows.total}
        rowAt={rows.rowAt}
        onWindow={rows.onWindow}
        loading={rows.loading}
        numbered
        rowHeight={32}
        headHeight={editable ? 58 : 40}
        maxHeight="max(320px, calc(100dvh - var(--hr-above, 330px)))"
        onOpen={(row, index) => setOpen({ row, index })}
        empty={<EmptyState compact icon={IconSearch} title={filterError ? 'The filter needs correcting' : narrowed ? 'No row fits' : 'No rows'} />}
      />
      <Modal opened={open !== null} onClose={() => setOpen(null)} size="lg" title={<Text fw={620}>Row {(open?.index ?? 0) + 1}</Text>}>
        <dl className={classes.record}>
          {open &&
            version.columns.map((c, i) => (
              <div key={c.name}>
                <dt>
                  <TypeMark type={c.type} /> {c.name}
                </dt>
                <dd>{open.row[i] === null || open.row[i] === undefined ? <span className={classes.missing}>missing</span> : cellText(open.row[i], c.type, true)}</dd>
              </div>
            ))}
        </dl>
      </Modal>
    </Stack>
  )
}

function Head({ column, label, editable, busy, sort, onSort, onType, onLabel }: { column: Schemas['Column']; label: boolean; editable: boolean; busy: boolean; sort: Sort | null; onSort: (sort: Sort | null) => void; onType: (type: ColumnType) => void; onLabel: () => void }) {
  return (
    <Menu position="bottom-start" width={230}>
      <Menu.Target>
        <UnstyledButton className={classes.head} aria-label={`${column.name}, ${COLUMN_TYPE[column.type].label}${label ? ', label' : ''}: sort${editable ? ' or correct' : ''}`}>
          <span className={classes.headName}>
            {label ? <IconTag size={14} aria-label="label" color="var(--mantine-color-anchor)" /> : !editable && <TypeMark type={column.type} />}
            <span className={classes.title}>{column.name}</span>
            {sort && (sort.descending ? <IconArrowDown size={13} aria-label="descending" /> : <IconArrowUp size={13} aria-label="ascending" />)}
          </span>
          {editable && (
            <span className={classes.type}>
              <TypeMark type={column.type} withLabel />
              <IconChevronDown size={12} aria-hidden />
            </span>
          )}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconArrowUp size={15} aria-hidden />} rightSection={sort && !sort.descending ? <IconCheck size={14} aria-label="chosen" /> : null} onClick={() => onSort(sort && !sort.descending ? null : { key: column.name, descending: false })}>
          Smallest first
        </Menu.Item>
        <Menu.Item leftSection={<IconArrowDown size={15} aria-hidden />} rightSection={sort?.descending ? <IconCheck size={14} aria-label="chosen" /> : null} onClick={() => onSort(sort?.descending ? null : { key: column.name, descending: true })}>
          Largest first
        </Menu.Item>
        {editable && (
          <>
            <Menu.Divider />
            <Menu.Item leftSection={label ? <IconTagOff size={15} aria-hidden /> : <IconTag size={15} aria-hidden />} disabled={busy} onClick={onLabel}>
              {label ? 'Not the label' : 'This is the label'}
            </Menu.Item>
            <Menu.Label>Type</Menu.Label>
            {TYPES.map((type) => {
              const { icon: IconOf, label: name, help } = COLUMN_TYPE[type]
              return (
                <Menu.Item key={type} disabled={busy} leftSection={<IconOf size={15} aria-hidden />} rightSection={type === column.type ? <IconCheck size={14} aria-label="chosen" /> : null} onClick={() => type !== column.type && onType(type)}>
                  {name}
                  <Text size="xs" c="dimmed">
                    {help}
                  </Text>
                </Menu.Item>
              )
            })}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

function FilterHelp() {
  return (
    <HoverCard width={330} position="bottom-end" shadow="md" withinPortal>
      <HoverCard.Target>
        <UnstyledButton aria-label="How to write a filter" className={classes.clear}>
          <IconHelp size={16} aria-hidden />
        </UnstyledButton>
      </HoverCard.Target>
      <HoverCard.Dropdown>
        <Stack gap={6}>
          <Text size="sm" fw={600}>
            Rows for which this is true
          </Text>
          {['age > 40 and sex == "Female"', 'price is missing', 'city in ("Oslo", "Rome")', 'not (size < 3 or size > 9)'].map((example) => (
            <Code key={example}>{example}</Code>
          ))}
          <Text size="xs" c="dimmed">
            Names with spaces stand between backticks. Press Enter to apply.
          </Text>
        </Stack>
      </HoverCard.Dropdown>
    </HoverCard>
  )
}

function exampleFilter(columns: Schemas['Column'][]): string {
  const numeric = columns.find((c) => c.type === 'integer' || c.type === 'number')
  return numeric ? `Filter, for example: ${/^[A-Za-z_]\w*$/.test(numeric.name) ? numeric.name : `\`${numeric.name}\``} > 40` : 'Filter by an expression'
}
