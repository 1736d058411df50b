import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Builds the editor's page for the browser tests, from the same sources and with the same settings as the studio's. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  publicDir: false,
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('../../../frontend/src', import.meta.url)) } },
  css: { postcss: fileURLToPath(new URL('../../../frontend', import.meta.url)) },
  build: { target: 'es2022', emptyOutDir: true, chunkSizeWarningLimit: 1500 },
})
