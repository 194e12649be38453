/** What `mortise dev` prints: one screen. */
import type { Config } from './config.ts'
import type { Dev } from './dev.ts'

export const devScreen = async (version: string, config: Config, running: Dev): Promise<string> => {
  const { firstEnvironment, storage } = running.rooms
  const url = config.publicUrl.origin
  const link = `${url}/oauth/connect/notion?public_key=${firstEnvironment.publicKey}`
  const ready = (await storage.integrations(firstEnvironment.id)).filter(each => each.sandbox).map(each => each.key)
  const header = running.keyless ? '' : ' -H "Authorization: Bearer $MORTISE_SECRET_KEY"'
  return `
  Mortise ${version} is running. Ready ${Math.round(performance.now())} ms after its process began.

  Open         ${url}
  Secret key   ${running.keyless ? 'none needed: only this machine can reach the hub' : 'needed: Authorization: Bearer <secret key>'}
  Public key   ${firstEnvironment.publicKey}
  Connect      ${link}
  Sandbox      ${running.sandbox.origin}/_sandbox  plays ${ready.join(', ')}; no account, no internet
  Data         ${config.dataDir}

  Try next
    1. Open the connect link, pick an account, approve: the page shows the connection id.
    2. Read it with a working token:
       curl${header} "${url}/connection/<connection id>?provider_config_key=notion"
    3. List all of them:
       curl${header} ${url}/connection

  Stop with Ctrl+C. Commands and settings: npx mortise --help
`
}
