import { Table, type TableProps } from '@mantine/core'
import classes from './StackedTable.module.css'

/**
 * A short table that is read whole. On a phone each row becomes a block of lines, `data-label` of a cell is the name of its line
 * (without one the cell has no name: a row's own name, its buttons); wider, but still too narrow, it scrolls with a bar that is seen.
 */
export function StackedTable({ minWidth, ...table }: TableProps & { minWidth: number }) {
  return (
    <Table.ScrollContainer minWidth={minWidth} classNames={{ scrollContainerInner: classes.inner }} scrollAreaProps={{ type: 'auto', offsetScrollbars: 'x', tabIndex: 0 } as never}>
      <Table {...table} className={classes.table} />
    </Table.ScrollContainer>
  )
}
