import { Anchor, Box, Group, Skeleton, Text, Title } from '@mantine/core'
import { IconChevronRight } from '@tabler/icons-react'
import { Link, type LinkProps } from '@tanstack/react-router'
import { useEffect, type ReactNode } from 'react'
import classes from './PageHeader.module.css'

export type Crumb = { label: string; to?: LinkProps['to']; params?: Record<string, string> }

/** Sets the browser tab's title while mounted: “Income · Data sets · Headrace”. */
export function useTitle(...parts: (string | undefined | null)[]): void {
  const title = [...parts.filter(Boolean), 'Headrace'].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}

/**
 * The head of every page: where we are, what this is, what can be done with it. Sets the document title.
 * Give `titleNode` where the visible title is more than text (an inline editor); `title` is still the tab's name.
 */
export function PageHeader({
  title,
  titleNode,
  crumbs = [],
  description,
  badges,
  actions,
  loading = false,
}: {
  title: string
  titleNode?: ReactNode
  crumbs?: Crumb[]
  description?: ReactNode
  badges?: ReactNode
  actions?: ReactNode
  loading?: boolean
}) {
  useTitle(title, ...crumbs.map((c) => c.label).reverse())
  return (
    <Box component="header" className={classes.header}>
      {crumbs.length > 0 && (
        <nav aria-label="Breadcrumbs">
          <ol className={classes.crumbs}>
            {crumbs.map((crumb) => (
              <li key={crumb.label}>
                {crumb.to ? (
                  <Anchor size="sm" c="dimmed" renderRoot={(props) => <Link to={crumb.to} params={crumb.params as never} {...props} />}>
                    {crumb.label}
                  </Anchor>
                ) : (
                  <Text size="sm" c="dimmed">
                    {crumb.label}
                  </Text>
                )}
                <IconChevronRight size={14} aria-hidden className={classes.arrow} />
              </li>
            ))}
            <li aria-current="page">
              <Text size="sm" truncate maw={280}>
                {title}
              </Text>
            </li>
          </ol>
        </nav>
      )}
      <Group justify="space-between" align="flex-start" gap="md" wrap="wrap">
        <Box className={classes.text}>
          <Group gap="sm" align="center">
            {loading ? <Skeleton h={28} w={220} /> : (titleNode ?? <Title order={1}>{title}</Title>)}
            {badges}
          </Group>
          {description && (
            <Text component="div" c="dimmed" size="sm" mt={4} maw={720}>
              {description}
            </Text>
          )}
        </Box>
        {actions && (
          <Group gap="xs" className={classes.actions}>
            {actions}
          </Group>
        )}
      </Group>
    </Box>
  )
}
