/** The few numbers that a model is judged by first. */
import { Text } from '@mantine/core'
import { score } from '@/lib/format'
import { metricMeaning, metricName, ranked } from '@/lib/metrics'
import { asMetric, type MetricValue } from '@/ui/artifact'

const MOST = 6

export function Headline({ metrics }: { metrics: Record<string, MetricValue | number | null> }) {
  return ranked(metrics)
    .filter(([name]) => !name.includes('.'))
    .slice(0, MOST)
    .map(([name, one]) => (
      <div key={name}>
        <Text size="xs" c="dimmed" title={metricMeaning(name) || undefined}>
          {metricName(name)}
        </Text>
        <Text size="lg" fw={650}>
          {score(asMetric(one).value)}
        </Text>
      </div>
    ))
}
