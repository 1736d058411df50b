export { ArtifactPreview, describe, DownloadLink, downloadUrl, Figures, type FigureValue } from './ArtifactPreview'
export { asMetric, MetricsView, MetricTable, type MetricsValue, type MetricValue } from './MetricsView'
