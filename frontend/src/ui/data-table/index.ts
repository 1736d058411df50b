export { DataTable, sortParam, type DataTableProps, type Sort, type TableColumn } from './DataTable'
export { useWindow } from './useWindow'
