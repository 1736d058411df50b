/**
 * Query keys. Everything of a project begins with ['p', slug], so that a reconnect can ask all of it again, then the
 * plural noun; live events invalidate by these prefixes. Append what you like behind them.
 */
export const keys = {
  studio: ['studio'] as const,
  me: ['me'] as const,
  projects: ['projects'] as const,
  tokens: ['tokens'] as const,
  hosts: ['hosts'] as const,
  joinTokens: ['join-tokens'] as const,
  project: (project: string) => ['p', project] as const,
  members: (project: string) => ['p', project, 'members'] as const,
  invitations: (project: string) => ['p', project, 'invitations'] as const,
  audit: (project: string) => ['p', project, 'audit'] as const,
  uploads: (project: string) => ['p', project, 'uploads'] as const,
  datasets: (project: string) => ['p', project, 'datasets'] as const,
  labelSchemas: (project: string) => ['p', project, 'label-schemas'] as const,
  pipelines: (project: string) => ['p', project, 'pipelines'] as const,
  catalog: (project: string) => ['p', project, 'catalog'] as const,
  templates: (project: string) => ['p', project, 'templates'] as const,
  runs: (project: string) => ['p', project, 'runs'] as const,
  triggers: (project: string) => ['p', project, 'triggers'] as const,
  models: (project: string) => ['p', project, 'models'] as const,
  endpoints: (project: string) => ['p', project, 'endpoints'] as const,
  artifacts: (project: string) => ['p', project, 'artifacts'] as const,
}
