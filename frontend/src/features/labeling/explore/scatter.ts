/**
 * Draws many points: with WebGL, a hundred thousand in one call; where the browser has none, on a plain canvas. Written here because plotly's
 * own makes code while it runs, which the content security policy forbids.
 */

export type View = { x: number; y: number; scale: number }
export type Cloud = { x: Float32Array; y: Float32Array; color: Uint8Array; size: Float32Array }
/** `draw` gives the milliseconds that it took, once it is waited for. */
export type Painter = { draw: (cloud: Cloud, view: View, ratio: number) => number; end: () => void }

const VERTEX = `attribute vec2 place; attribute vec4 color; attribute float size; uniform vec3 view; uniform vec2 canvas; uniform float ratio;
varying vec4 shade;
void main() { vec2 at = place * vec2(view.z, -view.z) + view.xy; gl_Position = vec4(at / canvas * vec2(2.0, -2.0) + vec2(-1.0, 1.0), 0.0, 1.0); gl_PointSize = size * ratio; shade = color; }`
const FRAGMENT = `precision mediump float; varying vec4 shade;
void main() { vec2 at = gl_PointCoord - 0.5; if (dot(at, at) > 0.25) discard; gl_FragColor = vec4(shade.rgb * shade.a, shade.a); }`

/** Where a point lies on the canvas, in pixels of the page. */
export function onCanvas(x: number, y: number, view: View): [number, number] {
  return [x * view.scale + view.x, -y * view.scale + view.y]
}

/** What brings a drawing of one view to another, as CSS: `at` is where the view's origin lies on the drawing. */
export function carried(drawn: View, wanted: View, at: readonly [number, number]): string {
  const by = wanted.scale / drawn.scale
  return `translate(${wanted.x + at[0] - (drawn.x + at[0]) * by}px, ${wanted.y + at[1] - (drawn.y + at[1]) * by}px) scale(${by})`
}

/** The view that shows everything, with a margin. */
export function whole(cloud: Pick<Cloud, 'x' | 'y'>, width: number, height: number): View {
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity]
  for (let n = 0; n < cloud.x.length; n++) {
    left = Math.min(left, cloud.x[n]!)
    right = Math.max(right, cloud.x[n]!)
    low = Math.min(low, cloud.y[n]!)
    high = Math.max(high, cloud.y[n]!)
  }
  if (cloud.x.length === 0) return { x: width / 2, y: height / 2, scale: 1 }
  const scale = 0.92 * Math.min(width / Math.max(right - left, 1e-6), height / Math.max(high - low, 1e-6))
  return { scale, x: width / 2 - (scale * (left + right)) / 2, y: height / 2 + (scale * (low + high)) / 2 }
}

/** Whether a point lies inside a closed line (even-odd rule). */
export function inside(x: number, y: number, line: readonly (readonly [number, number])[]): boolean {
  let found = false
  for (let n = 0, before = line.length - 1; n < line.length; before = n++) {
    const [ax, ay] = line[n]!
    const [bx, by] = line[before]!
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) found = !found
  }
  return found
}

/** The number of the point nearest to a place on the canvas, at most `within` pixels away; -1 for none. */
export function nearest(cloud: Cloud, view: View, x: number, y: number, within = 12): number {
  let [best, found] = [within * within, -1]
  for (let n = 0; n < cloud.x.length; n++) {
    const [px, py] = onCanvas(cloud.x[n]!, cloud.y[n]!, view)
    const away = (px - x) ** 2 + (py - y) ** 2
    if (away < best) [best, found] = [away, n]
  }
  return found
}

export function painter(canvas: HTMLCanvasElement): Painter {
  const gl = canvas.getContext('webgl', { antialias: true, premultipliedAlpha: true, preserveDrawingBuffer: true })
  return gl ? withGl(canvas, gl) : plain(canvas)
}

function withGl(canvas: HTMLCanvasElement, gl: WebGLRenderingContext): Painter {
  const program = gl.createProgram()
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
    const shader = gl.createShader(kind)!
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  gl.useProgram(program)
  gl.enable(gl.BLEND)
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  const buffers = { place: gl.createBuffer(), color: gl.createBuffer(), size: gl.createBuffer() }
  let kept: Cloud | null = null
  const give = (name: keyof typeof buffers, data: Float32Array | Uint8Array, parts: number, type: number, scaled: boolean) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name])
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW)
    const at = gl.getAttribLocation(program, name)
    gl.enableVertexAttribArray(at)
    gl.vertexAttribPointer(at, parts, type, scaled, 0, 0)
  }
  return {
    draw(cloud, view, ratio) {
      const began = performance.now()
      if (cloud !== kept) {
        const places = new Float32Array(2 * cloud.x.length)
        for (let n = 0; n < cloud.x.length; n++) {
          places[2 * n] = cloud.x[n]!
          places[2 * n + 1] = cloud.y[n]!
        }
        give('place', places, 2, gl.FLOAT, false)
        give('color', cloud.color, 4, gl.UNSIGNED_BYTE, true)
        give('size', cloud.size, 1, gl.FLOAT, false)
        kept = cloud
      }
      const [width, height] = [canvas.width / ratio, canvas.height / ratio]
      gl.viewport(0, 0, canvas.width, canvas.height)
      gl.clearColor(0, 0, 0, 0)
      gl.clear(gl.COLOR_BUFFER_BIT)
      // From pixels of the page to −1 … 1, across and down.
      gl.uniform3f(gl.getUniformLocation(program, 'view'), view.x, view.y, view.scale)
      gl.uniform2f(gl.getUniformLocation(program, 'canvas'), width, height)
      gl.uniform1f(gl.getUniformLocation(program, 'ratio'), ratio)
      gl.drawArrays(gl.POINTS, 0, cloud.x.length)
      // Reading waits for what was drawn; nothing else does.
      gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4))
      return performance.now() - began
    },
    end: () => gl.getExtension('WEBGL_lose_context')?.loseContext(),
  }
}

function plain(canvas: HTMLCanvasElement): Painter {
  const context = canvas.getContext('2d')
  return {
    draw(cloud, view, ratio) {
      if (!context) return 0
      const began = performance.now()
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      context.clearRect(0, 0, canvas.width, canvas.height)
      for (let n = 0; n < cloud.x.length; n++) {
        const [x, y] = onCanvas(cloud.x[n]!, cloud.y[n]!, view)
        const [r, g, b, a] = cloud.color.subarray(4 * n, 4 * n + 4)
        context.fillStyle = `rgba(${r}, ${g}, ${b}, ${a! / 255})`
        context.fillRect(x - cloud.size[n]! / 2, y - cloud.size[n]! / 2, cloud.size[n]!, cloud.size[n]!)
      }
      context.getImageData(0, 0, 1, 1)
      return performance.now() - began
    },
    end: () => undefined,
  }
}
