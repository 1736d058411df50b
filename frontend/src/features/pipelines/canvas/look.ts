/** Colours and icons of stages and kinds. Names come from the catalogue; what it does not name gets a neutral look. */
import {
  IconActivity,
  IconArrowBackUp,
  IconArrowsSplit2,
  IconAdjustments,
  IconBox,
  IconCode,
  IconChartDots,
  IconDatabase,
  IconMessageChatbot,
  IconPinFilled,
  IconRepeat,
  IconServer,
  IconRocket,
  IconRoute,
  IconSchool,
  IconStack2,
  IconTags,
  type Icon,
} from '@tabler/icons-react'

const STAGES: Record<string, { icon: Icon; color: string }> = {
  data: { icon: IconDatabase, color: 'blue' },
  label: { icon: IconTags, color: 'pink' },
  features: { icon: IconAdjustments, color: 'teal' },
  train: { icon: IconSchool, color: 'violet' },
  evaluate: { icon: IconChartDots, color: 'orange' },
  publish: { icon: IconRocket, color: 'green' },
  monitor: { icon: IconActivity, color: 'yellow' },
  code: { icon: IconCode, color: 'cyan' },
  flow: { icon: IconArrowsSplit2, color: 'cyan' },
  pipelines: { icon: IconRoute, color: 'grape' },
  llm: { icon: IconMessageChatbot, color: 'indigo' },
}

export function stageLook(stage: string): { icon: Icon; color: string } {
  return STAGES[stage] ?? { icon: IconBox, color: 'gray' }
}

/** The signs of how a step is run: many side by side, round after round, undone, only on some hosts; or not at all, pinned. */
export const FLOW_LOOK = { map: { icon: IconStack2 }, repeat: { icon: IconRepeat }, undo: { icon: IconArrowBackUp }, needs: { icon: IconServer }, pin: { icon: IconPinFilled } } as const

export function stageColor(stage: string, shade = 6): string {
  return `var(--mantine-color-${stageLook(stage).color}-${shade})`
}

/** A colour of the catalogue (`#1c7ed6`, or a name of the theme) as CSS. */
export function kindColor(color: string): string {
  return /^[a-z]+$/.test(color) ? `var(--mantine-color-${color}-6)` : color
}
