import { getConfig } from '../src/config.ts'
import { fetchToken } from '../src/token.ts'
import { run } from './terminal.ts'

const usage = `Usage: npm run get-jwt-token

Prints a JWT for the Frontend SDK. It tries the endpoint that works first, then the other
spellings of the documents.

Settings (.env or the environment): ALLOY_BASE_URL, ALLOY_API_KEY, ALLOY_USER_ID`

const minutesTo = (date: Date): number => Math.round((date.getTime() - Date.now()) / 60_000)

await run(usage, async () => {
  const config = getConfig()
  console.log('🔑 Getting JWT Token from Alloy\n')
  const { token, expiresAt, endpoint } = await fetchToken(config)
  console.log(`✅ JWT Token retrieved successfully!

${token}

Endpoint: ${endpoint}
Expires:  ${expiresAt === undefined ? 'it does not say' : `${expiresAt.toISOString()}, in ${minutesTo(expiresAt)} minutes`}

It speaks for the user ${config.alloyUserId}: hand it to that user's page only.
  await alloy.authenticate(token)`)
})
