/**
 * A plot that follows the colour scheme, loads plotly only when first seen and is taken down when it leaves the screen.
 * `alt` is what a screen reader hears; without it a plain description is made from the figure.
 */
import { ActionIcon, Box, Group, Skeleton, Text, Tooltip, useComputedColorScheme } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react'
import { describe, themed, type Figure } from './figure'

const Canvas = lazy(() => import('./Canvas'))

export type ChartProps = {
  figure: Figure
  title?: string
  alt?: string
  height?: number
  /** No axes' margins and no interaction: a sparkline, a small histogram in a table. */
  compact?: boolean
  /** Offer the picture as SVG. */
  downloadable?: boolean
  onClick?: (points: unknown) => void
}

/** How far outside the window a chart is kept: far enough that scrolling shows no gaps. */
const MARGIN = '400px 0px'

export function Chart({ figure, title, alt, height = 280, compact = false, downloadable = false, onClick }: ChartProps) {
  const scheme = useComputedColorScheme('light')
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<HTMLDivElement | null>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    const el = box.current
    if (!el) return
    const observer = new IntersectionObserver(([entry]) => setSeen(entry?.isIntersecting ?? false), { rootMargin: MARGIN })
    observer.observe(el)
    return () => observer.disconnect()
  }, [])
  const complete = useMemo(() => themed(figure, scheme, compact), [figure, scheme, compact])
  const save = async () => {
    const { default: Plotly } = await import('./plotly')
    if (drawn.current) await Plotly.downloadImage(drawn.current, { format: 'svg', filename: title || 'chart', width: 900, height: 540 })
  }
  return (
    <Box>
      {(title || downloadable) && (
        <Group justify="space-between" wrap="nowrap" mb={4} gap="xs">
          <Text size="sm" fw={600} truncate>
            {title}
          </Text>
          {downloadable && (
            <Tooltip label="Save as SVG">
              <ActionIcon size="md" aria-label={`Save ${title ?? 'chart'} as SVG`} onClick={() => void save()}>
                <IconDownload size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      )}
      <Box ref={box} h={height} role="img" aria-label={alt ?? describe(title ?? 'Chart', figure)} style={{ overflow: 'hidden' }}>
        {seen && (
          <Suspense fallback={<Skeleton h={height} radius="sm" />}>
            <Canvas figure={complete} interactive={!compact} onReady={(el) => (drawn.current = el)} onClick={onClick} />
          </Suspense>
        )}
      </Box>
    </Box>
  )
}
