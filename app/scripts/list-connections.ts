import { alloyHttp } from '../src/alloy-http.ts'
import { getConfig } from '../src/config.ts'
import { fetchConnections, latestOf, nonePicked } from '../src/connections.ts'
import { printRows, printSuggestion } from './print.ts'
import { run } from './terminal.ts'

const usage = `Usage: npm run list-connections

Lists the user's connections with their IDs, and marks the latest.

Settings (.env or the environment): ALLOY_BASE_URL, ALLOY_API_KEY, ALLOY_USER_ID`

await run(usage, async () => {
  const config = getConfig()
  console.log('🔍 Fetching connections from Alloy…\n')
  const http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey })
  const rows = await fetchConnections(http, config.alloyUserId)
  const latest = latestOf(rows)
  if (rows.length === 0) {
    console.log(`No connections found.

The user ${config.alloyUserId} has none at ${config.alloyBaseUrl}. Connect Notion first:
  npm run connect-notion`)
    return
  }
  console.log('✅ Connections found:\n')
  printRows(rows, latest)
  if (latest === undefined)
    console.log(`${nonePicked.replace(/: npm.*/, '')} and add to your .env file: CONNECTION_ID=<its ID>`)
  else printSuggestion(latest)
})
