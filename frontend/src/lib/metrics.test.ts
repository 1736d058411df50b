import { expect, it } from 'vitest'
import { metricName, ranked, smallerIsBetter } from './metrics'

it('puts what people judge a model by first', () => {
  expect(ranked({ ece: 1, mcc: 2, accuracy: 3, roc_auc: 4 }).map(([name]) => name)).toEqual(['accuracy', 'roc_auc', 'ece', 'mcc'])
})
it('writes names as the field does', () => {
  expect(['roc_auc', 'macro_f1', 'top_3_accuracy'].map(metricName)).toEqual(['ROC AUC', 'Macro F1', 'Top 3 accuracy'])
})
it('knows where less is better', () => {
  expect(['val_loss', 'rmse', 'accuracy', 'recall'].map(smallerIsBetter)).toEqual([true, true, false, false])
})
