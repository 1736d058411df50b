export { MiniBars, ShareBars } from './MiniBars'
export { Chart, type ChartProps } from './Chart'
export { inkOf, type Figure, type PlotData, type PlotLayout } from './figure'
