import { plain } from '../src/alloy-http.ts'
import { noCode, readCallback } from '../src/callback.ts'
import { getConfig, setting } from '../src/config.ts'
import { connectionIdOf, isOf, latestOf, nonePicked } from '../src/connections.ts'
import { AlloyOAuthFlow } from '../src/oauth-flow.ts'
import { outcomeOf } from '../src/outcome.ts'
import { newState } from '../src/sessions.ts'
import { printSuggestion } from './print.ts'
import { Questions, run } from './terminal.ts'

const usage = `Usage: npm run test-oauth

Starts the OAuth flow for Notion and prints the OAuth URL. Then it takes the address that the
browser ended at (or the code in it) and prints the Connection ID. Without a terminal it prints
the URL and ends.

Settings (.env or the environment): ALLOY_BASE_URL, ALLOY_API_KEY, ALLOY_USER_ID,
REDIRECT_URI (default http://localhost:3000/oauth/callback)`

/** The query of an address; a text that is no address is a code, to be redeemed for the sign-in begun here. */
const queryIn = (pasted: string, state: string): URLSearchParams => {
  if (/^https?:/i.test(pasted) && URL.canParse(pasted)) return new URL(pasted).searchParams
  if (pasted.includes('code=') || pasted.includes('error=')) return new URLSearchParams(pasted.replace(/^[^?]*\?/, ''))
  return new URLSearchParams(pasted === '' ? {} : { code: pasted, state })
}

const printConnected = (connectionId: string): void =>
  console.log(`
✅ Connection established!
Connection ID: ${plain(connectionId)}

Add this to your .env file:
CONNECTION_ID=${plain(connectionId)}`)

/** S2: no code, but perhaps a connection: this sign-in's own, or else one that was there before. */
const withoutCode = async (flow: AlloyOAuthFlow, credentialId: string | undefined): Promise<void> => {
  console.log(`\n${noCode}.`)
  const outcome = await outcomeOf(flow, 'notion', credentialId)
  if (outcome.kind === 'connected') return printConnected(outcome.connectionId)
  const said = outcome.kind === 'not-connected' ? outcome.sentence : undefined
  if (said !== undefined) console.log(plain(said))
  const rows = (await flow.listConnections()).filter(each => isOf('notion', each))
  const latest = latestOf(rows)
  if (latest === undefined || connectionIdOf(latest) === undefined)
    throw new Error(
      rows.length > 0 ? nonePicked : 'There is no Notion connection yet either. Run this again, and approve at Notion.',
    )
  console.log(`${said === undefined ? 'This is okay: there is a connection to use.' : 'There is a connection to use, an older one.'}

✅ Connection Found!
Connection ID: ${plain(connectionIdOf(latest) ?? '')} (${plain(latest.name ?? 'Notion')}) ⭐ Latest
`)
  printSuggestion(latest)
}

await run(usage, async () => {
  const config = getConfig()
  const redirectUri = setting('REDIRECT_URI') ?? 'http://localhost:3000/oauth/callback'
  const flow = new AlloyOAuthFlow(config)
  console.log(`🧪 Testing OAuth Flow for Notion

STEP 1: Initiate the OAuth flow at ${config.alloyBaseUrl}`)
  const ours = newState()
  const { oauthUrl, credentialId, state = ours } = await flow.initiateOAuthFlow('notion', redirectUri, { state: ours })
  console.log(`✅ OAuth flow initiated successfully!

STEP 2: Approve in your browser
1. Copy this OAuth URL:

${oauthUrl}

2. Open it in your browser, and approve at Notion.
3. The browser ends at ${redirectUri}?code=…&state=… It does not matter whether a page is there.

STEP 3: Exchange the code`)
  const questions = new Questions()
  try {
    const pasted = await questions.ask('Paste the address that the browser ended at, or the code: ')
    if (pasted === undefined) {
      console.log('The input has ended, so the code is not exchanged here. To do that, run this in a terminal.')
      return
    }
    const callback = readCallback(queryIn(pasted, state), given => given === state)
    switch (callback.kind) {
      case 'code': {
        const { connectionId, warnings = [] } = await flow.handleOAuthCallback('notion', callback.code, callback.state)
        for (const warning of warnings) console.log(`⚠️  ${plain(warning)}`)
        printConnected(connectionId)
        return
      }
      case 'error':
        throw new Error(`OAuth error: ${plain(callback.error)}`)
      case 'stranger':
        throw new Error(
          'This sign-in was not begun in this terminal: the state in the address is another one. Nothing was redeemed.',
        )
      case 'provider':
        throw new Error(
          "This address is Notion's answer to the hub, not the hub's to you. Register the hub's own /oauth/callback at Notion, and run this again.",
        )
      case 'nothing':
        await withoutCode(flow, credentialId)
    }
  } finally {
    questions.close()
  }
})
