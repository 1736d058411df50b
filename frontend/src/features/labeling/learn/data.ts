/** What the learning tab asks of the studio, and what it draws from it. */
import { queryOptions } from '@tanstack/react-query'
import { api, unwrap, type Schemas } from '@/api/client'
import { keys } from '@/api/keys'
import type { Figure } from '@/ui/chart'

export type Loop = Schemas['LoopOut']
export type Round = Schemas['RoundOut']
export type AutoAccept = Schemas['AutoAcceptOut']
export type Outcomes = Schemas['SuggestionOutcomesOut']

const path = (project: string, label_schema: string) => ({ params: { path: { project, label_schema } } })

export const loopQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'loop'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/loop', path(project, schema))),
    refetchInterval: (query) => (query.state.data?.loop?.active ? 5_000 : false),
  })

export const outcomesQuery = (project: string, schema: string) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'outcomes'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/suggestions/outcomes', path(project, schema))),
  })

export const autoAcceptQuery = (project: string, schema: string, threshold?: number) =>
  queryOptions({
    queryKey: [...keys.labelSchemas(project), schema, 'auto-accept', threshold ?? null],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/label-schemas/{label_schema}/auto-accept', { params: { path: { project, label_schema: schema }, query: { threshold } } })),
    refetchInterval: (query) => (query.state.data && ['queued', 'running'].includes(query.state.data.status) ? 1_000 : false),
  })

export const modelsQuery = (project: string) =>
  queryOptions({
    queryKey: [...keys.models(project), 'list'],
    queryFn: () => unwrap(api.GET('/api/v1/projects/{project}/models', { params: { path: { project } } })),
    select: (all) => all.filter((one) => one.latest_version !== null),
  })


const BY = 'on held-out items by the number of labelled items that a model learned from; the bars are 95 % intervals.'
const MEASURES = {
  accuracy: { name: 'Right answers', axis: 'right answers', help: `Right answers ${BY}` },
  map_50: { name: 'mAP@0.5', axis: 'mAP@0.5', help: `Mean average precision of boxes that overlap those of people by half or more (mAP@0.5), ${BY}` },
  f1: { name: 'F1', axis: 'F1 of spans', help: `F1 of the spans that are found exactly, with their label, ${BY}` },
}

/** What models of a loop are measured by. */
export const measureOf = (loop: Loop) => MEASURES[loop.measure]

/** Rounds that were measured, in order. */
export const measured = (loop: Loop): Round[] => loop.rounds.filter((round) => round.accuracy !== null)

/** Accuracy (or mAP) by number of labels: of the rounds with the interval that their test items leave, and of random order with its least and most. */
export function curveFigure(loop: Loop): Figure {
  const rounds = measured(loop)
  const between = (points: { accuracy: number | null; low: number | null; high: number | null }[]) => ({
    type: 'data',
    symmetric: false,
    array: points.map((p) => (p.high ?? 0) - (p.accuracy ?? 0)),
    arrayminus: points.map((p) => (p.accuracy ?? 0) - (p.low ?? 0)),
    thickness: 1.5,
    width: 4,
  })
  return {
    data: [
      { type: 'scatter', mode: 'lines+markers', name: 'Least sure first', x: rounds.map((r) => r.labels), y: rounds.map((r) => r.accuracy), error_y: between(rounds), customdata: rounds.map((r) => `round ${r.number}${loop.measure === 'f1' ? '' : `, ${r.tested} test items`}`), hovertemplate: '%{x} labels: %{y:.1%}<br>%{customdata}' },
      { type: 'scatter', mode: 'lines+markers', name: 'Random order', line: { dash: 'dash' }, marker: { symbol: 'square' }, x: loop.random.map((p) => p.labels), y: loop.random.map((p) => p.accuracy), error_y: between(loop.random), customdata: loop.random.map((p) => `mean of ${p.draws}${loop.measure === 'f1' ? '' : `, ${p.tested} test items each`}`), hovertemplate: '%{x} labels: %{y:.1%}<br>%{customdata}' },
    ],
    layout: { xaxis: { title: 'labels learned from', rangemode: 'tozero' }, yaxis: { title: measureOf(loop).axis, tickformat: '.0%' } },
  }
}
