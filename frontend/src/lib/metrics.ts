/** Names of metrics as people write them, and which come first. Pure. */
import { humanise } from './format'

const NAMES: Record<string, string> = {
  roc_auc: 'ROC AUC',
  pr_auc: 'PR AUC',
  f1: 'F1',
  macro_f1: 'Macro F1',
  weighted_f1: 'Weighted F1',
  rmse: 'RMSE',
  mae: 'MAE',
  mape: 'MAPE',
  mse: 'MSE',
  r2: 'R²',
  mcc: 'MCC',
  ece: 'Calibration error (ECE)',
  brier: 'Brier score',
  log_loss: 'Log loss',
}

/** What people judge a model by; everything else follows in alphabetical order. */
const FIRST = ['accuracy', 'roc_auc', 'f1', 'macro_f1', 'balanced_accuracy', 'average_precision', 'precision', 'recall', 'r2', 'rmse', 'mae', 'mape']

/** `roc_auc` → `ROC AUC` */
export function metricName(name: string): string {
  return NAMES[name] ?? humanise(name).replace(/\bf1\b/i, 'F1').replace(/\bauc\b/i, 'AUC')
}

/** Orders names, or entries by their name. JSON objects come without an order of their own. */
export function byImportance(a: string, b: string): number {
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return place(a) - place(b) || a.localeCompare(b)
}

export function ranked<T>(metrics: Record<string, T>): [string, T][] {
  return Object.entries(metrics).sort(([a], [b]) => byImportance(a, b))
}

/** Smaller is better for these; for the others larger is. */
export function smallerIsBetter(name: string): boolean {
  return /loss|error|rmse|mae|mse|mape|brier|ece/i.test(name)
}
