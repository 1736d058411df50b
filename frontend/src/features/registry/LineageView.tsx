/** What something came from and what came of it, as a list of columns from left to right. */
import { Anchor, Paper, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import { humanise } from '@/lib/format'
import { ErrorNotice } from '@/ui/ErrorNotice'
import classes from './LineageView.module.css'

const ORDER: Schemas['LineageNode']['type'][] = ['dataset_version', 'pipeline_version', 'run', 'step_run', 'artifact', 'model_version', 'deployment']

export function LineageView({ project, type, id }: { project: string; type: string; id: string }) {
  const query = useQuery({
    queryKey: [...keys.artifacts(project), 'lineage', type, id],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/lineage/{node_type}/{node_id}', { params: { path: { project, node_type: type, node_id: id } } })),
  })
  if (query.error) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Skeleton h={120} />
  const columns = ORDER.map((kind) => ({ kind, nodes: query.data.nodes.filter((node) => node.type === kind) })).filter((column) => column.nodes.length > 0)
  if (columns.length === 0) return <Text c="dimmed">Nothing is recorded of where this came from.</Text>
  return (
    <div className={classes.columns}>
      {columns.map((column) => (
        <section key={column.kind} aria-label={humanise(column.kind)}>
          <Text size="xs" c="dimmed" fw={600} mb={6}>
            {humanise(column.kind)}
          </Text>
          <div className={classes.column}>
            {column.nodes.map((node) => (
              <Paper key={node.id} p="xs" bg={node.id === id ? 'var(--hr-selected)' : undefined}>
                {node.href ? (
                  <Anchor size="sm" renderRoot={(props) => <Link to={node.href as never} {...props} />}>
                    {node.label}
                  </Anchor>
                ) : (
                  <Text size="sm">{node.label}</Text>
                )}
              </Paper>
            ))}
          </div>
        </section>
      ))}
    </div>
  )
}
