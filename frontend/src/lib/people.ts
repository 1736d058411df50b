/** How people are told apart on a page. */
const COLORS = ['#c026d3', '#0891b2', '#ea580c', '#16a34a', '#dc2626', '#4f46e5', '#b45309', '#be185d']

/** A person's colour: the same on every page and for everybody. */
export function colorOf(id: string): string {
  const number = [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)
  return COLORS[number % COLORS.length] ?? '#4f46e5'
}
