export { DatasetsPage } from './DatasetsPage'
export { DatasetPage } from './dataset/DatasetPage'
export { UploadTray } from './upload/UploadTray'
