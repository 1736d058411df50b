/** Names of metrics as people write them, and which come first. Pure. */
import { humanise } from './format'

const NAMES: Record<string, string> = {
  roc_auc: 'ROC AUC',
  pr_auc: 'PR AUC',
  f1: 'F1',
  macro_f1: 'Macro F1',
  partial_f1: 'Partial F1',
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
  map: 'mAP@[.5:.95]',
  map_50: 'mAP@0.5',
  map_75: 'mAP@0.75',
  average_precision_50: 'AP@0.5',
}

/** What a metric says, for those who meet it for the first time. */
const MEANING: Record<string, string> = {
  accuracy: 'Share of the answers that are right',
  balanced_accuracy: 'Accuracy averaged over the classes, so that small ones count as much',
  roc_auc: 'How often a true case gets a higher score than another one; 0.5 is chance',
  average_precision: 'Area under the precision and recall curve',
  pr_auc: 'Area under the precision and recall curve',
  precision: 'Of what it says is a case, the share that is one',
  recall: 'Of the true cases, the share it finds',
  specificity: 'Of the other cases, the share it leaves out rightly',
  f1: 'Precision and recall in one number',
  macro_f1: 'F1 averaged over the classes',
  weighted_f1: 'F1 averaged over the classes by their size',
  partial_f1: 'F1 that also counts spans which share at least half of their characters with a true one',
  macro_precision: 'Precision averaged over the classes',
  macro_recall: 'Recall averaged over the classes',
  top_3_accuracy: 'Share where the right class is among its first three',
  mcc: 'Agreement with the truth; 0 is chance, 1 is perfect',
  kappa: 'Agreement beyond chance; 1 is perfect',
  log_loss: 'How wrong its probabilities are; smaller is better',
  brier: 'Mean squared error of its probabilities; smaller is better',
  ece: 'How far its probabilities are from what happens; smaller is better',
  r2: 'Share of the variation it explains; 1 is perfect',
  rmse: 'Typical error, large ones count more; smaller is better',
  mae: 'Mean size of the errors; smaller is better',
  median_absolute_error: 'Half of the errors are smaller than this',
  mape: 'Mean error as a share of the true value; smaller is better',
  bias: 'Mean error: above 0 it predicts too much, below too little',
  map: 'Average precision of boxes over labels and ten overlaps from half to 95 % (COCO); 1 is perfect',
  map_50: 'The same where a box counts as right from an overlap of half on',
  map_75: 'The same from an overlap of three quarters on',
  largest_error: 'The worst single error',
}

export function metricMeaning(name: string): string {
  return MEANING[name] ?? ''
}

/** What people judge a model by; everything else follows in alphabetical order. */
const FIRST = ['map', 'map_50', 'map_75', 'average_precision_50', 'accuracy', 'roc_auc', 'f1', 'macro_f1', 'balanced_accuracy', 'average_precision', 'precision', 'recall', 'r2', 'rmse', 'mae', 'mape']

/** `roc_auc` → `ROC AUC` */
export function metricName(name: string): string {
  return NAMES[name] ?? humanise(name).replace(/\bf1\b/i, 'F1').replace(/\bauc\b/i, 'AUC')
}

/** Orders names, or entries by their name. JSON objects come without an order of their own. */
export function byImportance(a: string, b: string): number {
  // What was measured while training flatters; it comes last.
  const place = (name: string) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length + (/^(train|valid)/.test(name) ? 1 : 0))
  return place(a) - place(b) || a.localeCompare(b)
}

export function ranked<T>(metrics: Record<string, T>): [string, T][] {
  return Object.entries(metrics).sort(([a], [b]) => byImportance(a, b))
}

/** Smaller is better for these; for the others larger is. */
export function smallerIsBetter(name: string): boolean {
  return /loss|error|rmse|mae|mse|mape|brier|ece/i.test(name)
}
