/** Every address of the studio, and the page behind it. The only place where features meet. */
import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { meQuery } from '@/api/me'
import { NotFoundAnywhere, NotFoundPage, PageLoading, RouteError } from './fallbacks'
import { ProjectLayout } from './ProjectLayout'
import { Root } from './Root'
import { SignedInLayout } from './SignedInLayout'

/** Search parameters are each page's own business; pages read them with `useSearch({ strict: false })`. */
export type Search = { [key: string]: string | number | boolean | undefined }
const validateSearch = (search: Record<string, unknown>): Search => search as Search

const root = createRootRouteWithContext<{ client: QueryClient }>()({ component: Root, notFoundComponent: NotFoundAnywhere, validateSearch })

const projects = () => import('@/features/projects')
const datasets = () => import('@/features/datasets')
const labeling = () => import('@/features/labeling')
const pipelines = () => import('@/features/pipelines')
const runs = () => import('@/features/runs')
const triggers = () => import('@/features/runs/triggers')
const hosts = () => import('@/features/hosts')
const registry = () => import('@/features/registry')
const deployments = () => import('@/features/deployments')

const signIn = createRoute({ getParentRoute: () => root, path: '/sign-in', component: lazyRouteComponent(projects, 'SignInPage') })
const signUp = createRoute({ getParentRoute: () => root, path: '/sign-up', component: lazyRouteComponent(projects, 'SignUpPage') })
const forgotten = createRoute({ getParentRoute: () => root, path: '/forgotten', component: lazyRouteComponent(projects, 'ForgottenPage') })
const reset = createRoute({ getParentRoute: () => root, path: '/reset/$token', component: lazyRouteComponent(projects, 'ResetPage') })
const invitation = createRoute({ getParentRoute: () => root, path: '/invitations/$token', component: lazyRouteComponent(projects, 'InvitationPage') })

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  component: SignedInLayout,
  beforeLoad: async ({ context, location }) => {
    // Unreachable is not signed out: the layout then shows the page's shell with the banner and goes on by itself.
    const me = await context.client.ensureQueryData(meQuery).catch(() => undefined)
    if (me === null) throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { next: location.href } })
  },
})
const home = createRoute({ getParentRoute: () => signedIn, path: '/', component: lazyRouteComponent(projects, 'ProjectsPage') })
const personal = createRoute({ getParentRoute: () => signedIn, path: '/settings', component: lazyRouteComponent(projects, 'PersonalSettingsPage') })

const project = createRoute({ getParentRoute: () => signedIn, path: '/p/$project', component: ProjectLayout })
const inProject = [
  createRoute({ getParentRoute: () => project, path: '/', component: lazyRouteComponent(projects, 'OverviewPage') }),
  createRoute({ getParentRoute: () => project, path: '/datasets', component: lazyRouteComponent(datasets, 'DatasetsPage') }),
  createRoute({ getParentRoute: () => project, path: '/datasets/$dataset', component: lazyRouteComponent(datasets, 'DatasetPage') }),
  createRoute({ getParentRoute: () => project, path: '/datasets/$dataset/compare', component: lazyRouteComponent(datasets, 'CompareVersionsPage') }),
  createRoute({ getParentRoute: () => project, path: '/datasets/$dataset/similar', component: lazyRouteComponent(labeling, 'SimilarPage') }),
  createRoute({ getParentRoute: () => project, path: '/labels', component: lazyRouteComponent(labeling, 'LabelsPage') }),
  createRoute({ getParentRoute: () => project, path: '/labels/new', component: lazyRouteComponent(labeling, 'NewSchemaPage') }),
  createRoute({ getParentRoute: () => project, path: '/labels/$schema', component: lazyRouteComponent(labeling, 'SchemaPage') }),
  createRoute({ getParentRoute: () => project, path: '/labels/$schema/label', component: lazyRouteComponent(labeling, 'LabelPage') }),
  createRoute({ getParentRoute: () => project, path: '/labels/$schema/review', component: lazyRouteComponent(labeling, 'ReviewPage') }),
  createRoute({ getParentRoute: () => project, path: '/labels/$schema/items/$item', component: lazyRouteComponent(labeling, 'ItemPage') }),
  createRoute({ getParentRoute: () => project, path: '/pipelines', component: lazyRouteComponent(pipelines, 'PipelinesPage') }),
  createRoute({ getParentRoute: () => project, path: '/pipelines/$pipeline', component: lazyRouteComponent(pipelines, 'PipelinePage') }),
  createRoute({ getParentRoute: () => project, path: '/templates', component: lazyRouteComponent(pipelines, 'TemplatesPage') }),
  createRoute({ getParentRoute: () => project, path: '/runs', component: lazyRouteComponent(runs, 'RunsPage') }),
  createRoute({ getParentRoute: () => project, path: '/runs/compare', component: lazyRouteComponent(runs, 'CompareRunsPage') }),
  createRoute({ getParentRoute: () => project, path: '/runs/$run', component: lazyRouteComponent(runs, 'RunPage') }),
  createRoute({ getParentRoute: () => project, path: '/triggers', component: lazyRouteComponent(triggers, 'TriggersPage') }),
  createRoute({ getParentRoute: () => project, path: '/triggers/$trigger', component: lazyRouteComponent(triggers, 'TriggerPage') }),
  createRoute({ getParentRoute: () => project, path: '/approvals', component: lazyRouteComponent(runs, 'ApprovalsPage') }),
  createRoute({ getParentRoute: () => project, path: '/models', component: lazyRouteComponent(registry, 'ModelsPage') }),
  createRoute({ getParentRoute: () => project, path: '/models/$model', component: lazyRouteComponent(registry, 'ModelPage') }),
  createRoute({ getParentRoute: () => project, path: '/endpoints', component: lazyRouteComponent(deployments, 'EndpointsPage') }),
  createRoute({ getParentRoute: () => project, path: '/endpoints/$endpoint', component: lazyRouteComponent(deployments, 'EndpointPage') }),
  createRoute({ getParentRoute: () => project, path: '/workers', component: lazyRouteComponent(hosts, 'WorkersPage') }),
  createRoute({ getParentRoute: () => project, path: '/settings', component: lazyRouteComponent(projects, 'ProjectSettingsPage') }),
] as const

const tree = root.addChildren([signIn, signUp, forgotten, reset, invitation, signedIn.addChildren([home, personal, project.addChildren(inProject)])])

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: 'intent',
    defaultPreloadDelay: 80,
    defaultPendingComponent: PageLoading,
    defaultPendingMs: 150,
    defaultPendingMinMs: 200,
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
    trailingSlash: 'never',
  })
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}
