import { messageOf } from '../src/alloy-http.ts'
import { getConfig, portSetting } from '../src/config.ts'
import { isPortTaken, listenOnLoopback } from '../src/listen.ts'
import { createApp } from '../src/server.ts'
import { webhookSecret } from '../src/webhook.ts'
import { run } from './terminal.ts'

const usage = `Usage: npm run server

Starts the web application on http://localhost:3000: Connect Notion, the OAuth callback,
the list of connections, diagnostics and the webhook receiver.

Settings (.env or the environment): PORT, ALLOY_BASE_URL, ALLOY_API_KEY, ALLOY_USER_ID,
CONNECTION_ID, ALLOY_WEBHOOK_SECRET`

await run(usage, async () => {
  const config = getConfig()
  webhookSecret()
  const port = portSetting()
  const listening = await listenOnLoopback(createApp(), port).catch((error: unknown) => {
    if (!isPortTaken(error)) throw error
    throw new Error(
      `Port ${port} is already in use. Stop the program that uses it, or choose another: PORT=${port + 1} npm run server`,
      { cause: error },
    )
  })
  const url = `http://localhost:${listening.port}`
  console.log(`OAuth server running on ${url}`)
  console.log(`Visit ${url}/connect/notion to start OAuth flow`)
  console.log(`It talks to ${config.alloyBaseUrl}`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      listening.close().catch(error => {
        console.error(messageOf(error))
        process.exitCode = 1
      })
    })
})
