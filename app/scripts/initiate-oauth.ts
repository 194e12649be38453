import { getConfig } from '../src/config.ts'
import { AlloyOAuthFlow } from '../src/oauth-flow.ts'
import { newState } from '../src/sessions.ts'
import { Questions, run } from './terminal.ts'

const usage = `Usage: npm run initiate-oauth

Asks for a connector ID and a redirect URI, and prints the OAuth URL to open.
The answers may also come from a pipe, one a line.

Settings (.env or the environment): ALLOY_BASE_URL, ALLOY_API_KEY, ALLOY_USER_ID`

const example = 'http://localhost:3000/oauth/callback'

await run(usage, async () => {
  const config = getConfig()
  console.log('🔐 Alloy OAuth Flow Initiator\n')
  const questions = new Questions()
  try {
    const connectorId = await questions.ask('Enter connector ID (e.g., notion, hubspot): ')
    if (!connectorId) throw new Error('A connector ID is needed, such as notion.')
    const given = await questions.ask(`Enter redirect URI (e.g., ${example}): `)
    const redirectUri = given || example
    const flow = new AlloyOAuthFlow(config)
    const { oauthUrl, state } = await flow.initiateOAuthFlow(connectorId, redirectUri, { state: newState() })
    console.log(`
✅ OAuth URL:

${oauthUrl}

Next:
  1. Open it in your browser and approve.
  2. The browser goes to ${redirectUri} with a code and this state; another state is not yours, do not use its code:
     ${state}
  3. Exchange the code for the Connection ID within ten minutes:
     curl -X POST ${config.alloyBaseUrl}/connectors/${encodeURIComponent(connectorId)}/credentials/callback \\${config.alloyApiKey === '' ? '' : '\n       -H "Authorization: Bearer $ALLOY_API_KEY" \\'}
       -H "x-api-version: 2025-09" -H "Content-Type: application/json" \\
       -d '{"code":"the code","state":"${state}"}'

If no code arrives, the connection may have been made all the same: npm run list-connections`)
  } finally {
    questions.close()
  }
})
