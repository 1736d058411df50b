/**
 * The studio's look: colours, type, spacing. Everything else takes its values from here.
 *
 * Every palette has ten shades in which 7 on white, and white on 7, pass 4.5:1, and 3–4 pass on the dark
 * surfaces, so that filled, light and text variants of any colour are readable in both schemes (WCAG 2.2 AA).
 */
import { createTheme, rgba, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core'

const water: MantineColorsTuple = ['#e8f6fa', '#cfeaf2', '#a3d8e7', '#6fc1d8', '#40a9c5', '#1f8fae', '#10789a', '#0c6683', '#0b526a', '#083c4e']

const palettes: Record<string, MantineColorsTuple> = {
  water,
  gray: ['#f6f8fa', '#eef2f5', '#dfe6ec', '#c8d3dc', '#98a8b7', '#66788a', '#4b5d6f', '#38485a', '#243140', '#131c27'],
  dark: ['#d8e1e9', '#b7c4d0', '#9aa9b8', '#8a9aaa', '#3b4857', '#2e3946', '#212b36', '#18202a', '#11181f', '#0b1016'],
  red: ['#fef2f2', '#fee2e2', '#fecaca', '#fca5a5', '#f98080', '#ef4444', '#dc2626', '#b91c1c', '#991b1b', '#7f1d1d'],
  orange: ['#fff7ed', '#ffedd5', '#fed7aa', '#fdba74', '#fb923c', '#f97316', '#ea580c', '#b83a0b', '#9a3412', '#7c2d12'],
  yellow: ['#fffbeb', '#fef3c7', '#fde68a', '#fcd34d', '#fbbf24', '#d99206', '#b87506', '#96590a', '#7d470e', '#66390f'],
  green: ['#f0fdf4', '#dcfce7', '#bbf7d0', '#86efac', '#4ade80', '#22c55e', '#16a34a', '#13743a', '#166534', '#14532d'],
  teal: ['#f0fdfa', '#ccfbf1', '#99f6e4', '#5eead4', '#2dd4bf', '#14b8a6', '#0d9488', '#0f6f68', '#115e59', '#134e4a'],
  cyan: ['#ecfeff', '#cffafe', '#a5f3fc', '#67e8f9', '#22d3ee', '#06b6d4', '#0891b2', '#0e7490', '#155e75', '#164e63'],
  blue: ['#eff6ff', '#dbeafe', '#bfdbfe', '#93c5fd', '#60a5fa', '#3b82f6', '#2563eb', '#1d4ed8', '#1e40af', '#1e3a8a'],
  indigo: ['#eef2ff', '#e0e7ff', '#c7d2fe', '#a5b4fc', '#8f9bf9', '#6366f1', '#4f46e5', '#4338ca', '#3730a3', '#312e81'],
  violet: ['#f5f3ff', '#ede9fe', '#ddd6fe', '#c4b5fd', '#a78bfa', '#8b5cf6', '#7c3aed', '#6d28d9', '#5b21b6', '#4c1d95'],
  grape: ['#faf5ff', '#f3e8ff', '#e9d5ff', '#d8b4fe', '#c084fc', '#a855f7', '#9333ea', '#7e22ce', '#6b21a8', '#581c87'],
  pink: ['#fdf2f8', '#fce7f3', '#fbcfe8', '#f9a8d4', '#f472b6', '#ec4899', '#db2777', '#be185d', '#9d174d', '#831843'],
}

export const theme = createTheme({
  primaryColor: 'water',
  primaryShade: { light: 7, dark: 7 },
  colors: palettes,
  black: '#16202b',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', Menlo, Consolas, monospace",
  headings: {
    fontWeight: '620',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.3' },
      h2: { fontSize: '1.125rem', lineHeight: '1.4' },
      h3: { fontSize: '1rem', lineHeight: '1.45' },
      h4: { fontSize: '0.875rem', lineHeight: '1.45' },
    },
  },
  defaultRadius: 'md',
  radius: { xs: '3px', sm: '5px', md: '8px', lg: '12px', xl: '20px' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  focusRing: 'auto',
  components: {
    // Its smallest size is 22 px high; a finger needs 24 (WCAG 2.2, 2.5.8).
    Button: { defaultProps: { size: 'sm' }, styles: { label: { fontWeight: 560 } }, vars: (_theme: unknown, props: { size?: unknown }) => ({ root: props.size === 'compact-xs' ? { '--button-height': '24px' } : {} }) },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 'lg' } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm' }, styles: { label: { textTransform: 'none', fontWeight: 560, letterSpacing: 0 } } },
    Paper: { defaultProps: { withBorder: true }, vars: () => ({ root: { '--paper-border-color': 'var(--hr-line)' } }) },
    Card: { defaultProps: { withBorder: true }, vars: () => ({ root: { '--paper-border-color': 'var(--hr-line)' } }) },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.4, blur: 2 }, closeButtonProps: { 'aria-label': 'Close' } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true, events: { hover: true, focus: true, touch: false } } },
    Anchor: { defaultProps: { underline: 'hover' } },
    Table: { defaultProps: { verticalSpacing: 'xs' } },
    Menu: { defaultProps: { shadow: 'md', withinPortal: true } },
    Tabs: { defaultProps: { keepMounted: false } },
  },
})

/** In the dark, tinted surfaces (badges, notices, light buttons) are a breath of the colour, their text a bright shade of it. */
function tints(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, shades] of Object.entries(palettes)) {
    if (name === 'dark') continue
    found[`--mantine-color-${name}-light`] = rgba(shades[5], 0.17)
    found[`--mantine-color-${name}-light-hover`] = rgba(shades[5], 0.25)
    found[`--mantine-color-${name}-light-color`] = shades[name === 'gray' ? 3 : 2]
  }
  return found
}

/** Variables that Mantine leaves too pale for AA, and our own surfaces. `--hr-*` may be used in any CSS module. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: { '--hr-nav-width': '232px', '--hr-nav-width-small': '64px', '--hr-header-height': '52px' },
  light: {
    '--mantine-color-dimmed': '#536475',
    '--mantine-color-placeholder': '#5c6d7f',
    '--mantine-color-error': '#b91c1c',
    '--mantine-color-anchor': '#0c6683',
    '--mantine-color-disabled-color': '#66788a',
    '--hr-canvas': '#f5f8fa',
    '--hr-surface': '#ffffff',
    '--hr-sunken': '#eef3f6',
    '--hr-line': '#dfe6ec',
    '--hr-line-strong': '#8496a6',
    '--hr-hover': '#eff4f7',
    '--hr-selected': '#e1f1f6',
    '--hr-selected-text': '#0b526a',
    '--hr-focus': '#0c6683',
    '--hr-shadow': '0 1px 2px rgb(16 32 48 / 6%), 0 4px 16px rgb(16 32 48 / 6%)',
    '--hr-code': '#f3f6f8',
  },
  dark: {
    ...tints(),
    '--mantine-color-dimmed': '#9fafbe',
    '--mantine-color-placeholder': '#94a4b3',
    '--mantine-color-error': '#fca5a5',
    '--mantine-color-anchor': '#6fc1d8',
    '--mantine-color-disabled-color': '#8a9aaa',
    '--hr-canvas': '#11181f',
    '--hr-surface': '#18202a',
    '--hr-sunken': '#131a22',
    '--hr-line': '#2e3946',
    '--hr-line-strong': '#6d7f90',
    '--hr-hover': '#202a35',
    '--hr-selected': '#12394a',
    '--hr-selected-text': '#a3d8e7',
    '--hr-focus': '#6fc1d8',
    '--hr-shadow': '0 1px 2px rgb(0 0 0 / 40%), 0 4px 16px rgb(0 0 0 / 30%)',
    '--hr-code': '#131a22',
  },
})
