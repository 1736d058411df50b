/**
 * Our own bundle of plotly: the traces the studio draws, none that need WebGL (browsers allow only a few contexts) or
 * generated code (the content security policy forbids it). Import it lazily only.
 */
import core from 'plotly.js/lib/core'
import bar from 'plotly.js/lib/bar'
import box from 'plotly.js/lib/box'
import heatmap from 'plotly.js/lib/heatmap'
import histogram from 'plotly.js/lib/histogram'
import histogram2d from 'plotly.js/lib/histogram2d'
import violin from 'plotly.js/lib/violin'
import type { PlotData, PlotLayout } from './figure'

export type PlotElement = HTMLDivElement & { on?: (event: string, handler: (data: unknown) => void) => void; removeAllListeners?: (event: string) => void }

type Plotly = {
  register: (parts: unknown[]) => void
  react: (el: HTMLElement, data: PlotData, layout: PlotLayout, config: object) => Promise<unknown>
  purge: (el: HTMLElement) => void
  downloadImage: (el: HTMLElement, options: object) => Promise<string>
  Plots: { resize: (el: HTMLElement) => void }
}

const Plotly = core as Plotly
// `scatter` is part of the core.
Plotly.register([bar, box, heatmap, histogram, histogram2d, violin])

export default Plotly
