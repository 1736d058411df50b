export { DatasetsPage } from './DatasetsPage'
export { CompareVersionsPage } from './compare/CompareVersionsPage'
export { DatasetPage } from './dataset/DatasetPage'
export { UploadTray } from './upload/UploadTray'
