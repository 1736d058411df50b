/** What something came from and what came of it, drawn from left to right; each box leads to its page. */
import { Group, Skeleton, Switch, Text } from '@mantine/core'
import { useElementSize, useMergedRef } from '@mantine/hooks'
import { IconApi, IconBox, IconDatabase, IconPackage, IconPlayerPlay, IconRoute, IconStack2, IconTags, type Icon } from '@tabler/icons-react'
import dagre from '@dagrejs/dagre'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { humanise } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import { origins, withoutArtifacts, type Lineage } from './lineage'
import classes from './LineageView.module.css'

type Kind = Schemas['LineageNode']['type']
const ICONS: Record<Kind, Icon> = {
  dataset_version: IconDatabase,
  label_schema_version: IconTags,
  pipeline_version: IconRoute,
  run: IconPlayerPlay,
  step_run: IconPlayerPlay,
  artifact: IconPackage,
  model_version: IconBox,
  deployment: IconApi,
}
const WORDS: Record<Kind, string> = {
  dataset_version: 'Data set version',
  label_schema_version: 'Label schema',
  pipeline_version: 'Pipeline version',
  run: 'Run',
  step_run: 'Step run',
  artifact: 'Artifact',
  model_version: 'Model version',
  deployment: 'Deployment',
}
const WIDTH = 164
/** Smaller than this nobody can read it: then it scrolls. */
const SMALLEST = 0.75
const HEIGHT = 46

/** `train_forest · run #2` of a step run is told in two lines: what ran, and in which run. */
function written(node: Schemas['LineageNode']): { kind: string; label: string } {
  const [step, run] = node.type === 'step_run' ? node.label.split(' · ') : []
  return step && run ? { kind: `Step of ${run}`, label: humanise(step) } : { kind: WORDS[node.type], label: node.label }
}

type Placed = Schemas['LineageNode'] & { x: number; y: number }
type Drawing = { nodes: Placed[]; paths: { id: string; d: string }[]; width: number; height: number }

function draw(lineage: Lineage): Drawing {
  const graph = new dagre.graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 12, ranksep: 30, marginx: 2, marginy: 2 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of lineage.nodes) graph.setNode(node.id, { width: WIDTH, height: HEIGHT })
  for (const [from = '', to = ''] of lineage.edges) if (graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to)
  dagre.layout(graph)
  const nodes = lineage.nodes.map((node) => {
    const spot = graph.node(node.id) as { x: number; y: number }
    return { ...node, x: spot.x - WIDTH / 2, y: spot.y - HEIGHT / 2 }
  })
  const at = new Map(nodes.map((node) => [node.id, node]))
  const paths = lineage.edges.flatMap(([from = '', to = '']) => {
    const a = at.get(from)
    const b = at.get(to)
    if (!a || !b) return []
    const [x1, y1, x2, y2] = [a.x + WIDTH, a.y + HEIGHT / 2, b.x, b.y + HEIGHT / 2]
    const bend = Math.max(16, (x2 - x1) / 2)
    return [{ id: `${from}>${to}`, d: `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}` }]
  })
  const size = graph.graph() as { width?: number; height?: number }
  return { nodes, paths, width: size.width ?? 0, height: size.height ?? 0 }
}

export function LineageView({ project, type, id }: { project: string; type: string; id: string }) {
  const query = useQuery({
    queryKey: [...keys.artifacts(project), 'lineage', type, id],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/lineage/{node_type}/{node_id}', { params: { path: { project, node_type: type as Kind, node_id: id } } })),
  })
  const [artifacts, setArtifacts] = useState(false)
  const drawing = useMemo(() => {
    if (!query.data) return null
    const shown = origins(query.data)
    return draw(artifacts ? shown : withoutArtifacts(shown, id))
  }, [query.data, artifacts, id])
  const { ref: measure, width } = useElementSize()
  const box = useRef<HTMLDivElement>(null)
  const ref = useMergedRef(measure, box)
  const scale = drawing && width ? Math.max(SMALLEST, Math.min(1, width / drawing.width)) : 1
  // What it is about is in sight from the start.
  useEffect(() => {
    const el = box.current
    const here = drawing?.nodes.find((node) => node.id === id)
    if (el && here) el.scrollTo({ left: (here.x + WIDTH / 2) * scale - el.clientWidth / 2, top: (here.y + HEIGHT / 2) * scale - el.clientHeight / 2 })
  }, [drawing, id, scale])
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!drawing) return <Skeleton h={200} />
  if (drawing.nodes.length === 0) return <Text c="dimmed">Nothing is recorded of where this came from.</Text>
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Text size="sm" c="dimmed">
          From the data on the left to where it answers on the right. Each box leads to its page.
        </Text>
        <Switch label="Show artifacts" checked={artifacts} onChange={(event) => setArtifacts(event.currentTarget.checked)} />
      </Group>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrollable region must be reachable by keyboard */}
      <div ref={ref} className={classes.scroll} tabIndex={0} role="region" aria-label="Lineage">
        <div style={{ width: drawing.width * scale, height: drawing.height * scale }}>
          <div className={classes.drawing} style={{ width: drawing.width, height: drawing.height, transform: scale < 1 ? `scale(${scale})` : undefined, transformOrigin: '0 0' }}>
            <svg width={drawing.width} height={drawing.height} aria-hidden>
              {drawing.paths.map((path) => (
                <path key={path.id} d={path.d} className={classes.path} />
              ))}
            </svg>
            {drawing.nodes.map((node) => {
              const IconOf = ICONS[node.type] ?? IconStack2
              const { kind, label } = written(node)
              const inner = (
                <>
                  <IconOf size={16} stroke={1.8} aria-hidden />
                  <span className={classes.text}>
                    <span className={classes.kind}>{kind}</span>
                    <span className={classes.label}>{label}</span>
                  </span>
                </>
              )
              const shared = { className: classes.node, 'data-here': node.id === id || undefined, 'data-type': node.type, style: { left: node.x, top: node.y, width: WIDTH, height: HEIGHT }, title: node.label }
              return node.href ? (
                <Link key={node.id} to={node.href as never} {...shared}>
                  {inner}
                </Link>
              ) : (
                <div key={node.id} {...shared}>
                  {inner}
                </div>
              )
            })}
          </div>
        </div>
      </div>
    </>
  )
}
