/// <reference types="vite/client" />

declare module '@fontsource-variable/inter'

// plotly.js ships types for its full build only; Chart.tsx narrows what it uses.
declare module 'plotly.js/lib/*' {
  const part: unknown
  export default part
}
