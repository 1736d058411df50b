/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const root = fileURLToPath(new URL('.', import.meta.url))

/**
 * Django serves the page and, in production, these files under /static/vite/ (settings.DJANGO_VITE).
 * In development Django's page asks this server for the modules; everything else still goes to Django.
 */
export default defineConfig({
  root,
  base: '/static/vite/',
  publicDir: false,
  plugins: [react()],
  resolve: { alias: { '@': `${root}src` } },
  // plotly.js reads `global` and `process.env` in a few places; the browser has neither.
  define: { global: 'globalThis' },
  server: {
    host: 'localhost',
    port: Number(process.env.VITE_PORT ?? 5173),
    strictPort: true,
    origin: `http://localhost:${process.env.VITE_PORT ?? 5173}`,
    cors: true,
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: 'es2022',
    chunkSizeWarningLimit: 1500,
    // Fonts stay files: the content security policy allows them from our own origin only, not as data.
    assetsInlineLimit: 0,
    rolldownOptions: { input: 'src/app/main.tsx' },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test-setup.ts'],
    include: ['src/**/*.test.{ts,tsx}'],
    css: false,
    testTimeout: 60_000,
    // It imports dayjs' plugins without their extension, which Node alone does not resolve.
    server: { deps: { inline: [/@rjsf/] } },
  },
})
