import { Box, Group, Paper, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { Logo } from '@/ui/Logo'
import { useTitle } from '@/ui/PageHeader'
import { RoutePicture } from '../route-picture'
import classes from './AuthFrame.module.css'

/** The frame of all pages before the sign-in. */
export function AuthFrame({ title, intro, children, footer }: { title: string; intro?: ReactNode; children: ReactNode; footer?: ReactNode }) {
  useTitle(title)
  return (
    <div className={classes.frame}>
      <aside className={classes.side}>
        <Group gap="sm">
          <Logo size={36} />
          <Text fw={680} size="xl" c="#fff">
            Headrace
          </Text>
        </Group>
        <Box className={classes.picture}>
          <RoutePicture />
        </Box>
        <Text size="lg" c="#d9eef5" maw={440}>
          From data to a model that answers, on your own machines.
        </Text>
      </aside>
      <main className={classes.main}>
        <Stack w="100%" maw={400} gap="lg">
          <Group gap="sm" className={classes.brand}>
            <Logo />
            <Text fw={680} size="lg">
              Headrace
            </Text>
          </Group>
          <div>
            <Title order={1}>{title}</Title>
            {intro && (
              <Text component="div" c="dimmed" size="sm" mt={6}>
                {intro}
              </Text>
            )}
          </div>
          <Paper p="lg" radius="lg">
            {children}
          </Paper>
          {footer && (
            <Text component="div" size="sm" c="dimmed" ta="center">
              {footer}
            </Text>
          )}
        </Stack>
      </main>
    </div>
  )
}
