/** Figures in the studio's colours. Pure: takes what a step or a page made, gives what plotly draws. */

export type PlotData = Record<string, unknown>[]
export type PlotLayout = Record<string, unknown>
export type Figure = { data: PlotData; layout?: PlotLayout }

type Ink = { text: string; dim: string; line: string; surface: string; series: string[]; scale: [number, string][] }

/** Series colours that stay apart for the common kinds of colour blindness and pass 3:1 on their surface. */
const LIGHT: Ink = {
  text: '#243140',
  dim: '#536475',
  line: '#e3e9ee',
  surface: '#ffffff',
  series: ['#0c7594', '#c2540a', '#6d28d9', '#13743a', '#be185d', '#8a6a00', '#38485a', '#2563eb'],
  scale: [[0, '#f4f9fb'], [0.25, '#b9e0ec'], [0.5, '#6fc1d8'], [0.75, '#1f8fae'], [1, '#083c4e']],
}
const DARK: Ink = {
  text: '#d8e1e9',
  dim: '#9fafbe',
  line: '#2e3946',
  surface: '#18202a',
  series: ['#4cb8d6', '#fb923c', '#a78bfa', '#4ade80', '#f472b6', '#fbbf24', '#b7c4d0', '#60a5fa'],
  scale: [[0, '#1a2530'], [0.25, '#0f4a60'], [0.5, '#10789a'], [0.75, '#40a9c5'], [1, '#cfeaf2']],
}

export function inkOf(scheme: 'light' | 'dark'): Ink {
  return scheme === 'dark' ? DARK : LIGHT
}

/** The colours that steps write into their figures (`workers/training/figures.py`), in the order of our series. */
const WRITTEN = ['#0072B2', '#E69F00', '#009E73', '#D55E00', '#CC79A7', '#56B4E9', '#8A7F00', '#7F7F7F']

/** A step cannot know on which ground its figure will be seen: its colours become those of the scheme, place by place. */
function recoloured(trace: Record<string, unknown>, ink: Ink): Record<string, unknown> {
  const color = (value: unknown) => (typeof value === 'string' && WRITTEN.includes(value) ? ink.series[WRITTEN.indexOf(value)] : value)
  const part = (name: 'line' | 'marker') => {
    const given = trace[name] as Record<string, unknown> | undefined
    return given && 'color' in given ? { [name]: { ...given, color: color(given.color) } } : {}
  }
  return { ...trace, ...part('line'), ...part('marker') }
}

/** Clear shades let the ground through, which plotly forgets when it chooses between dark and light writing on a cell. */
function isClear(scale: unknown): boolean {
  return Array.isArray(scale) && scale.some((stop: unknown) => Array.isArray(stop) && /^rgba/.test(String(stop[1])))
}

type Axis = Record<string, unknown>

/** Merges the figure's own layout over ours; every axis it uses gets our lines and colours. */
export function themed(figure: Figure, scheme: 'light' | 'dark', compact = false): Required<Figure> {
  const ink = inkOf(scheme)
  const own = figure.layout ?? {}
  const axis: Axis = {
    gridcolor: ink.line,
    linecolor: ink.line,
    zerolinecolor: ink.line,
    tickcolor: ink.line,
    tickfont: { color: ink.dim, size: 11 },
    automargin: true,
    zeroline: false,
  }
  const axes = new Set(['xaxis', 'yaxis', ...Object.keys(own).filter((k) => /^[xy]axis\d*$/.test(k))])
  const layout: PlotLayout = {
    autosize: true,
    colorway: ink.series,
    colorscale: { sequential: ink.scale },
    hoverlabel: { bgcolor: ink.surface, bordercolor: ink.line, font: { color: ink.text, size: 12 } },
    legend: { orientation: 'h', y: 1.02, yanchor: 'bottom', x: 0, traceorder: 'normal', font: { color: ink.dim, size: 11 }, ...(own.legend as object | undefined) },
    ...without(own, ['template', 'width', 'height', 'legend', 'paper_bgcolor', 'plot_bgcolor', 'font', 'margin', ...axes]),
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: "'Inter Variable', system-ui, sans-serif", size: 12, color: ink.text },
    margin: compact ? { l: 4, r: 4, t: 4, b: 4 } : { l: 52, r: 16, t: own.title ? 40 : 14, b: 44, ...(own.margin as object | undefined) },
  }
  for (const name of axes) {
    const given = (own[name] ?? {}) as Axis
    const title = typeof given.title === 'string' ? { text: given.title } : (given.title as object | undefined)
    layout[name] = { ...axis, ...given, ...(title ? { title: { standoff: 8, font: { color: ink.dim, size: 12 }, ...title } } : {}) }
  }
  const data = figure.data.map((trace) => {
    if (trace.type !== 'heatmap' && trace.type !== 'histogram2d') return recoloured(trace, ink)
    const bar = trace.colorbar as { title?: object } | undefined
    const colorbar = { thickness: 10, outlinewidth: 0, tickfont: { color: ink.dim, size: 11 }, ...bar, ...(bar?.title ? { title: { side: 'right', font: { color: ink.dim, size: 11 }, ...bar.title } } : {}) }
    return { ...trace, colorscale: trace.colorscale && !isClear(trace.colorscale) ? trace.colorscale : ink.scale, colorbar }
  })
  return { data, layout }
}

function without(object: PlotLayout, names: Iterable<string>): PlotLayout {
  const drop = new Set(names)
  return Object.fromEntries(Object.entries(object).filter(([name]) => !drop.has(name)))
}

/** A sentence for those who cannot see the chart, when the page gives none: what kind, which series, how many points. */
export function describe(title: string, figure: Figure): string {
  const series = figure.data.map((t) => String(t.name ?? '')).filter(Boolean)
  const points = figure.data.reduce((sum, t) => sum + lengthOf(t.x ?? t.y ?? t.z), 0)
  return `${title}. Chart${series.length ? ` of ${series.slice(0, 8).join(', ')}` : ''}, ${points} points.`
}

function lengthOf(value: unknown): number {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return (value as ArrayLike<unknown>).length
  // plotly's own packed arrays: {dtype, bdata}
  if (value && typeof value === 'object' && 'bdata' in value) return Math.floor((String(value.bdata).length * 3) / 4 / 8)
  return 0
}
