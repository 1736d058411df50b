/** Providers, from the outside in: look, data, addresses. */
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { connection } from '@/api/connection'
import { makeQueryClient } from './query-client'
import { makeRouter } from './router'
import { cssVariables, theme } from './theme'

export function App() {
  const [client] = useState(makeQueryClient)
  const [router] = useState(() => makeRouter(client))
  // The studio answers again: whatever failed or grew old in between is asked anew.
  useEffect(() => connection.subscribe(() => void (connection.online && client.invalidateQueries())), [client])
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" limit={5} containerWidth={400} zIndex={400} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  )
}
