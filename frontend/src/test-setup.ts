/** What jsdom lacks and Mantine or our own widgets ask for. */
import { cleanup, configure } from '@testing-library/react'
import { afterEach, vi } from 'vitest'

// Lazily loaded parts take their time on a busy machine; a test that waits for them is not one of speed.
configure({ asyncUtilTimeout: 45_000 })

afterEach(cleanup)

window.matchMedia ??= vi.fn().mockImplementation((query: string) => ({
  matches: false,
  media: query,
  addListener: () => {},
  removeListener: () => {},
  addEventListener: () => {},
  removeEventListener: () => {},
  dispatchEvent: () => false,
}))

class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
  takeRecords() {
    return []
  }
}
window.ResizeObserver ??= Observer as unknown as typeof ResizeObserver
window.IntersectionObserver ??= Observer as unknown as typeof IntersectionObserver
Element.prototype.scrollIntoView ??= () => {}
