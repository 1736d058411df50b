/** A true drawing of a graph, small: the gallery and the list of pipelines. Plain SVG, no canvas. */
import { memo, useMemo } from 'react'

import { componentOf, kindOf, outputPort, type Catalog } from '../graph/catalog'
import { at, bounds, portSpots, stepSize } from '../graph/geometry'
import { placed } from '../graph/layout'
import { edgesOf, type Graph } from '../graph/types'
import { kindColor, stageColor } from './look'

export const Miniature = memo(function Miniature({ graph, catalog, height = 140 }: { graph: Graph; catalog: Catalog; height?: number }) {
  const drawn = useMemo(() => placed(graph, catalog), [graph, catalog])
  const box = bounds(drawn, catalog)
  if (!box) return <div style={{ height }} />
  const margin = 40
  const spot = (key: string, side: 'input' | 'output', name: string) => {
    const step = drawn.steps[key]
    if (!step) return { x: 0, y: 0 }
    const { x, y } = at(step)
    const port = portSpots(catalog, step).find((candidate) => candidate.side === side && candidate.name === name)
    const size = stepSize(catalog, step)
    return port ? { x: x + port.x, y: y + port.y } : { x: x + (side === 'output' ? size.width : 0), y: y + size.height / 2 }
  }
  return (
    <svg viewBox={`${box.x - margin} ${box.y - margin} ${box.width + 2 * margin} ${box.height + 2 * margin}`} width="100%" height={height} preserveAspectRatio="xMidYMid meet" aria-hidden focusable="false">
      {edgesOf(drawn).map((edge) => {
        const from = spot(edge.source, 'output', edge.output)
        const to = spot(edge.target, 'input', edge.port)
        const bend = Math.max(40, (to.x - from.x) / 2)
        const kind = kindOf(catalog, outputPort(catalog, drawn.steps[edge.source], edge.output)?.kind ?? '')
        return <path key={`${edge.source}.${edge.output}.${edge.target}.${edge.port}`} d={`M${from.x} ${from.y}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`} fill="none" stroke={kindColor(kind.color)} strokeWidth={7} strokeOpacity={0.75} />
      })}
      {Object.entries(drawn.steps).map(([key, step]) => {
        const { x, y } = at(step)
        const size = stepSize(catalog, step)
        const stage = componentOf(catalog, step)?.stage ?? ''
        return (
          <g key={key}>
            <rect x={x} y={y} width={size.width} height={size.height} rx={18} fill="var(--hr-surface)" stroke={stageColor(stage)} strokeWidth={5} />
            <rect x={x} y={y} width={size.width} height={30} rx={15} fill={stageColor(stage)} fillOpacity={0.85} />
          </g>
        )
      })}
    </svg>
  )
})
