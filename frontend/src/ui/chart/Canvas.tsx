/** Draws with plotly. Loaded lazily by Chart, mounted only while on screen. */
import { useEffect, useRef } from 'react'
import type { Figure } from './figure'
import Plotly, { type PlotElement } from './plotly'

export default function Canvas({ figure, interactive, onReady, onClick }: { figure: Required<Figure>; interactive: boolean; onReady?: (el: HTMLDivElement) => void; onClick?: (points: unknown) => void }) {
  const ref = useRef<HTMLDivElement>(null)
  const click = useRef(onClick)
  const ready = useRef(onReady)
  useEffect(() => {
    click.current = onClick
    ready.current = onReady
  })
  useEffect(() => {
    const el = ref.current
    if (!el) return
    let current = true
    void Plotly.react(el, figure.data, figure.layout, {
      displaylogo: false,
      displayModeBar: false,
      responsive: false,
      staticPlot: !interactive,
      showTips: false,
      scrollZoom: false,
    }).then(() => {
      if (!current) return
      const plot = el as PlotElement
      // Drawing anew keeps the listeners there are: a live chart would gather hundreds.
      plot.removeAllListeners?.('plotly_click')
      plot.on?.('plotly_click', (data) => click.current?.(data))
      ready.current?.(el)
    })
    return () => {
      current = false
    }
  }, [figure, interactive])
  useEffect(() => {
    const el = ref.current
    if (!el) return
    let frame = 0
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => {
        if (el.isConnected && el.offsetWidth > 0 && el.classList.contains('js-plotly-plot')) Plotly.Plots.resize(el)
      })
    })
    observer.observe(el)
    return () => {
      cancelAnimationFrame(frame)
      observer.disconnect()
      Plotly.purge(el)
    }
  }, [])
  return <div ref={ref} style={{ width: '100%', height: '100%' }} />
}
